// Group: how often variables are read and sent, and whether that is kept up.
import { DeleteOutlined, DownloadOutlined, EditOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Table, Tooltip } from "antd";
import { useCallback, useEffect, useState } from "react";
import { Head, Shown, useConfirm, useDo } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { get } from "../api";
import { listGroups } from "../devices/calls";
import { exportCsv } from "../devices/export";
import { ImportDialog } from "../devices/import";
import { useEdit } from "../edit";
import { useSession } from "../session";
import { GroupForm } from "./group-form";
import "./groups.css";
import { type GroupRow, type GroupState, groupOf, isFixed, lateText, membersOf, rowsOf } from "./rows";
import { words } from "./words";

/** How often the counts are asked for. */
const COUNTS_MS = 5000;

async function load(): Promise<GroupRow[]> {
  const [{ items }, { groups }] = await Promise.all([listGroups(), get<{ groups: GroupState[] }>("/status")]);
  return rowsOf(items, groups);
}

/** The interval; with every sample also what became of them. */
function Uploading({ row }: { row: GroupRow }) {
  if (row.group_type === "alarm" || !row.every_sample) {
    return row.group_type === "alarm" ? words.none : row.upload_interval;
  }
  const aside = row.state?.samples_set_aside ?? 0;
  return (
    <Tooltip title={words.samplesHelp(row.state?.samples_waiting ?? 0)}>
      {words.everySample(row.upload_interval)}
      {aside > 0 && <span className="gg-late"> {words.setAside(aside)}</span>}
    </Tooltip>
  );
}

interface GroupTableProps {
  rows: GroupRow[];
  canEdit: boolean;
  ticked: string[];
  onTick: (names: string[]) => void;
  onEdit: (row: GroupRow) => void;
  onDelete: (names: string[]) => void;
}

function GroupTable({ rows, canEdit, ticked, onTick, onEdit, onDelete }: GroupTableProps) {
  const small = { size: "small", type: "text" } as const;
  const number = (value: number | undefined) => (value === undefined ? "–" : value.toLocaleString("en"));
  return (
    <div className="gg-wide" role="region" aria-label={words.title} tabIndex={0}>
      <Table<GroupRow>
        rowKey="group_name"
        dataSource={rows}
        pagination={{ pageSize: 50, showTotal: words.total, showSizeChanger: false }}
        rowSelection={
          canEdit
            ? {
                selectedRowKeys: ticked,
                onChange: (keys) => onTick(keys.map(String)),
                getCheckboxProps: ({ group_name }) => ({ disabled: isFixed(group_name), "aria-label": words.tick(group_name) }),
                getTitleCheckboxProps: () => ({ "aria-label": words.tickAll }),
              }
            : undefined
        }
        columns={[
          { title: words.name, dataIndex: "group_name", sorter: (a, b) => a.group_name.localeCompare(b.group_name), render: (name: string) => <strong>{name}</strong> },
          { title: words.type, dataIndex: "group_type", render: (type: GroupRow["group_type"]) => words.types[type] },
          { title: words.polling, dataIndex: "polling_interval", align: "right", sorter: (a, b) => a.polling_interval - b.polling_interval },
          { title: words.uploading, key: "upload", align: "right", render: (_, row) => <Uploading row={row} /> },
          { title: words.variables, key: "variables", align: "right", render: (_, row) => number(row.state?.variables) },
          { title: words.alarms, key: "alarms", align: "right", render: (_, row) => number(row.state?.alarms) },
          {
            title: <Tooltip title={words.cyclesHelp}>{words.cycles}</Tooltip>,
            key: "late",
            align: "right",
            render: (_, { state }) => (state === undefined ? "–" : <span className={state.late > 0 ? "gg-late" : undefined}>{lateText(state)}</span>),
          },
          ...(canEdit
            ? [
                {
                  title: words.operation,
                  key: "operation",
                  width: 100,
                  render: (_: unknown, row: GroupRow) => (
                    <>
                      <Button {...small} icon={<EditOutlined />} aria-label={words.editGroup(row.group_name)} onClick={() => onEdit(row)} />
                      <Button
                        {...small}
                        danger
                        icon={<DeleteOutlined />}
                        disabled={isFixed(row.group_name)}
                        title={isFixed(row.group_name) ? words.fixed : undefined}
                        aria-label={words.deleteGroup(row.group_name)}
                        onClick={() => onDelete([row.group_name])}
                      />
                    </>
                  ),
                },
              ]
            : []),
        ]}
      />
    </div>
  );
}

type Open = { what: "form"; group?: GroupRow } | { what: "import" };

export default function GroupsPage() {
  const groups = useLoad(load);
  const { can } = useSession();
  const [ticked, setTicked] = useState<string[]>([]);
  const [open, setOpen] = useState<Open>();
  const close = useCallback(() => setOpen(undefined), []);
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const { reload } = groups;
  useEffect(() => {
    const timer = setInterval(reload, COUNTS_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const remove = (names: string[]) => {
    const members = membersOf(groups.data ?? [], names);
    confirm(words.confirm(names.length), words.confirmText(members.variables, members.alarms), words.delete, async () => {
      const edits = names.map((name) => ({ op: "delete" as const, block: "groups", name, cascade: true }));
      if (await act(() => edit(edits, { why: words.confirm(names.length) }))) {
        setTicked([]);
        reload();
      }
    });
  };
  const canEdit = can("engineer");
  return (
    <>
      <Head title={words.title}>
        {canEdit && <Button icon={<UploadOutlined />} aria-label={words.importFiles} title={words.importFiles} onClick={() => setOpen({ what: "import" })} />}
        <Button icon={<DownloadOutlined />} aria-label={words.exportGroups} title={words.exportGroups} onClick={() => void act(() => exportCsv("groups"))} />
        {canEdit && (
          <>
            <Button danger icon={<DeleteOutlined />} aria-label={words.deleteTicked} title={words.deleteTicked} disabled={ticked.length === 0} onClick={() => remove(ticked)} />
            <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({ what: "form" })}>
              {words.add}
            </Button>
          </>
        )}
      </Head>
      <Shown loaded={groups}>
        {(rows) => (
          <GroupTable rows={rows} canEdit={canEdit} ticked={ticked} onTick={setTicked} onDelete={remove} onEdit={(group) => setOpen({ what: "form", group })} />
        )}
      </Shown>
      {open?.what === "form" && <GroupForm group={open.group && groupOf(open.group)} onSaved={reload} onClose={close} />}
      {open?.what === "import" && <ImportDialog onDone={reload} onClose={close} />}
    </>
  );
}
