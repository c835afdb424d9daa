// Alarm Strategy: the alarms that are defined; add, edit, delete, move to a group, import, export.
import { DeleteOutlined, DownloadOutlined, EditOutlined, EllipsisOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Dropdown, Input, Select, Table } from "antd";
import { useCallback, useMemo, useState } from "react";
import { download } from "../../shared/download";
import { Empty, Refresh, Shown, useConfirm, useDo, WorkButton } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { words as shared } from "../../shared/words";
import { getText } from "../api";
import { ImportDialog } from "../devices/import";
import { useEdit } from "../edit";
import { useRevision } from "../revision-store";
import { useSession } from "../session";
import { type Group, listAlarmGroups, listStrategies } from "./calls";
import { conditionText, type Strategy } from "./condition";
import { GroupDialog } from "./group-dialog";
import { ShelveDialog } from "./shelve";
import { StrategyForm } from "./strategy-form";
import { target } from "./strategy-values";
import { words } from "./words";

interface Changes {
  remove: (names: string[]) => void;
  move: (names: string[], group: string) => Promise<boolean>;
}

function useChanges(after: () => void): Changes {
  const { edit } = useEdit();
  const act = useDo();
  const confirm = useConfirm();
  const remove = (names: string[]) =>
    confirm(words.removeTitle(names.length, names[0] ?? ""), words.removeText, words.remove, async () => {
      const edits = names.map((name) => ({ op: "delete" as const, block: "warning", name }));
      if (await act(() => edit(edits, { done: words.removed(names.length) }))) {
        after();
      }
    });
  const move = async (names: string[], group: string) => {
    const edits = names.map((name) => ({ op: "set" as const, block: "warning", name, value: { group } }));
    const done = await act(() => edit(edits, { done: words.moved(names.length, group) }));
    if (done) {
      after();
    }
    return done;
  };
  return { remove, move };
}

interface TableProps {
  rows: Strategy[];
  may: boolean;
  mayShelve: boolean;
  ticked: string[];
  onTick: (names: string[]) => void;
  onEdit: (strategy: Strategy) => void;
  onRemove: (names: string[]) => void;
  onShelve: (name: string) => void;
}

function StrategyTable({ rows, may, mayShelve, ticked, onTick, onEdit, onRemove, onShelve }: TableProps) {
  const operation = (row: Strategy) => (
    <span className="ps-row">
      {may && <Button type="text" icon={<EditOutlined />} aria-label={`${words.edit} ${row.warn_name}`} onClick={() => onEdit(row)} />}
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "shelve", label: words.shelve, onClick: () => onShelve(row.warn_name) },
            ...(may ? [{ key: "delete", label: words.remove, danger: true, onClick: () => onRemove([row.warn_name]) }] : []),
          ],
        }}
      >
        <Button type="text" icon={<EllipsisOutlined />} aria-label={`${shared.actions} ${row.warn_name}`} />
      </Dropdown>
    </span>
  );
  return (
    <Table<Strategy>
      rowKey="warn_name"
      size="middle"
      dataSource={rows}
      rowSelection={may ? { selectedRowKeys: ticked, onChange: (keys) => onTick(keys.map(String)) } : undefined}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      columns={[
        {
          title: words.name,
          dataIndex: "warn_name",
          sorter: (a, b) => a.warn_name.localeCompare(b.warn_name),
          render: (name: string, row) => (
            <>
              {name}
              <div className="ga-small ps-mono">{conditionText(row)}</div>
            </>
          ),
        },
        { title: words.condition, key: "condition", responsive: ["md"], render: (_, row) => <span className="ps-mono">{conditionText(row)}</span> },
        { title: words.device, dataIndex: "device", responsive: ["sm"], sorter: (a, b) => a.device.localeCompare(b.device) },
        { title: words.target, key: "target", responsive: ["md"], render: (_, row) => target(row, () => undefined) },
        { title: words.description, dataIndex: "alarm_content", responsive: ["xl"] },
        { title: words.group, dataIndex: "group", responsive: ["lg"], sorter: (a, b) => a.group.localeCompare(b.group) },
        { title: words.operation, key: "operation", width: 110, hidden: !may && !mayShelve, render: (_, row) => operation(row) },
      ]}
    />
  );
}

interface BarProps {
  groups: Group[];
  group: string;
  search: string;
  may: boolean;
  onGroup: (group: string) => void;
  onSearch: (text: string) => void;
  onAdd: () => void;
  onImport: () => void;
}

function Bar({ groups, group, search, may, onGroup, onSearch, onAdd, onImport }: BarProps) {
  const act = useDo();
  const save = () => act(async () => download("warn.csv", await getText("/export/alarms"), "text/csv"));
  return (
    <>
      <Input
        allowClear
        className="ga-search"
        placeholder={shared.search}
        aria-label={shared.search}
        value={search}
        onChange={(event) => onSearch(event.target.value)}
      />
      <Select
        aria-label={words.group}
        style={{ minWidth: 150 }}
        value={group}
        onChange={onGroup}
        options={[{ value: "", label: words.allGroups }, ...groups.map(({ group_name }) => ({ value: group_name, label: group_name }))]}
      />
      <span style={{ flex: 1 }} />
      {may && (
        <Button icon={<UploadOutlined />} onClick={onImport}>
          {words.import}
        </Button>
      )}
      <WorkButton icon={<DownloadOutlined />} work={save}>
        {words.export}
      </WorkButton>
      {may && (
        <Button type="primary" icon={<PlusOutlined />} onClick={onAdd}>
          {words.add}
        </Button>
      )}
    </>
  );
}

const matches = (text: string) => (row: Strategy) =>
  [row.warn_name, row.device, row.var_name ?? "", row.alarm_content ?? ""].some((part) => part.toLowerCase().includes(text.toLowerCase()));

export function Strategies() {
  const revision = useRevision();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- another revision is loaded anew
  const loaded = useLoad(useCallback(async () => ({ rows: await listStrategies(), groups: await listAlarmGroups() }), [revision]));
  const { can } = useSession();
  const may = can("engineer");
  const [search, setSearch] = useState("");
  const [group, setGroup] = useState("");
  const [ticked, setTicked] = useState<string[]>([]);
  const [editing, setEditing] = useState<Strategy | "new">();
  const [dialog, setDialog] = useState<"import" | "group">();
  const [shelving, setShelving] = useState<string>();
  const done = () => {
    setTicked([]);
    loaded.reload();
  };
  const { remove, move } = useChanges(done);
  const all = loaded.data?.rows;
  const rows = useMemo(
    () => (all ?? []).filter(matches(search)).filter((row) => group === "" || row.group === group),
    [all, search, group],
  );
  const groups = loaded.data?.groups ?? [];

  return (
    <>
      <div className="ps-row ga-bar">
        <Bar
          {...{ groups, group, search, may }}
          onGroup={setGroup}
          onSearch={setSearch}
          onAdd={() => setEditing("new")}
          onImport={() => setDialog("import")}
        />
        <Refresh loaded={loaded} />
      </div>
      <Shown loaded={loaded}>
        {(data) =>
          data.rows.length === 0 ? (
            <Empty text={words.noneDefined}>{may && <Button onClick={() => setEditing("new")}>{words.defineOne}</Button>}</Empty>
          ) : rows.length === 0 ? (
            <Empty text={words.noneFound} />
          ) : (
            <>
              <StrategyTable
                {...{ rows, may, ticked }}
                mayShelve={can("operator")}
                onTick={setTicked}
                onEdit={setEditing}
                onRemove={remove}
                onShelve={setShelving}
              />
              <div className="ps-row">
                <span className="ga-count">{words.found(rows.length, data.rows.length)}</span>
                {may && (
                  <>
                    <Button disabled={ticked.length === 0} onClick={() => setDialog("group")}>
                      {words.addToGroup}
                    </Button>
                    <Button danger icon={<DeleteOutlined />} disabled={ticked.length === 0} onClick={() => remove(ticked)}>
                      {words.remove}
                    </Button>
                    {ticked.length > 0 && <span role="status">{words.ticked(ticked.length)}</span>}
                  </>
                )}
              </div>
            </>
          )
        }
      </Shown>
      {editing !== undefined && (
        <StrategyForm strategy={editing === "new" ? undefined : editing} groups={groups} onDone={done} onClose={() => setEditing(undefined)} />
      )}
      {dialog === "import" && <ImportDialog onDone={done} onClose={() => setDialog(undefined)} />}
      {dialog === "group" && (
        <GroupDialog groups={groups} count={ticked.length} pick={(name) => move(ticked, name)} onClose={() => setDialog(undefined)} />
      )}
      {shelving !== undefined && <ShelveDialog name={shelving} onDone={done} onClose={() => setShelving(undefined)} />}
    </>
  );
}
