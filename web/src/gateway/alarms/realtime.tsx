// Realtime Alarms: those that are on, as the gateway tells of them; seen, shelved, not readable.
import { Alert, Button, Card, Table, Tag } from "antd";
import { useEffect, useState } from "react";
import { Empty, Shown, useDo, WorkButton } from "../../shared/parts";
import { to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useEvents } from "../events";
import { useSession } from "../session";
import { When } from "../time";
import { acknowledge, type AlarmRow, type Alarms, listAlarms, type Shelved, unshelve } from "./calls";
import { Level, Value } from "./parts";
import { ShelveDialog } from "./shelve";
import { words } from "./words";

const UNREAD_SHOWN = 20;

function Unread({ rows }: { rows: Alarms["unread"] }) {
  if (rows.length === 0) {
    return null;
  }
  return (
    <Alert
      type="warning"
      showIcon
      title={words.unread(rows.length)}
      description={
        <>
          {words.unreadText}
          <ul className="ga-unread">
            {rows.slice(0, UNREAD_SHOWN).map(({ name, device, quality }) => (
              <li key={name}>
                <strong>{name}</strong> ({device}): {quality}
              </li>
            ))}
          </ul>
          {rows.length > UNREAD_SHOWN && words.moreUnread(rows.length - UNREAD_SHOWN)}
        </>
      }
    />
  );
}

function Status({ row, shelved }: { row: AlarmRow; shelved: Shelved | undefined }) {
  return (
    <span className="ga-tags">
      {row.acknowledged ? (
        <Tag color="default">{words.acknowledgedBy(row.acknowledged_by ?? "")}</Tag>
      ) : (
        <Tag color="error">{words.triggered}</Tag>
      )}
      {shelved && (
        <Tag color="processing">
          {words.shelvedUntil} <When at={shelved.until} short />
        </Tag>
      )}
    </span>
  );
}

interface RowActions {
  may: boolean;
  reload: () => void;
  onShelve: (name: string) => void;
}

function Operation({ row, shelved, may, reload, onShelve }: { row: AlarmRow; shelved: Shelved | undefined } & RowActions) {
  const act = useDo();
  if (!may) {
    return null;
  }
  return (
    <span className="ps-row">
      {!row.acknowledged && (
        <WorkButton size="small" aria-label={`${words.acknowledge} ${row.name}`} work={() => act(() => acknowledge(row.name), words.acknowledged).then(reload)}>
          {words.acknowledge}
        </WorkButton>
      )}
      {shelved ? (
        <WorkButton size="small" aria-label={`${words.unshelve} ${row.name}`} work={() => act(() => unshelve(row.name)).then(reload)}>
          {words.unshelve}
        </WorkButton>
      ) : (
        <Button size="small" aria-label={`${words.shelve} ${row.name}`} onClick={() => onShelve(row.name)}>
          {words.shelve}
        </Button>
      )}
    </span>
  );
}

function AlarmTable({ data, ...actions }: { data: Alarms } & RowActions) {
  const shelvedOf = (name: string) => data.shelved.find((one) => one.name === name);
  return (
    <Table<AlarmRow>
      rowKey="name"
      size="middle"
      dataSource={data.alarms}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      rowClassName={({ acknowledged }) => (acknowledged ? "" : "ga-new")}
      columns={[
        { title: words.level, dataIndex: "level", width: 130, responsive: ["md"], sorter: (a, b) => a.level - b.level, render: (level: number) => <Level level={level} /> },
        {
          title: words.name,
          dataIndex: "name",
          sorter: (a, b) => a.name.localeCompare(b.name),
          render: (name: string, row) => (
            <>
              <strong>{name}</strong>
              <div className="ga-second">{row.description}</div>
              <div className="ga-small">
                <Level level={row.level} /> <When at={row.time} short /> <Value text={row.text} unit={row.unit} />
                <Status row={row} shelved={shelvedOf(name)} />
              </div>
            </>
          ),
        },
        { title: words.status, key: "status", responsive: ["md"], render: (_, row) => <Status row={row} shelved={shelvedOf(row.name)} /> },
        { title: words.value, key: "value", responsive: ["md"], render: (_, { text, unit }) => <Value text={text} unit={unit} /> },
        { title: words.device, key: "device", responsive: ["lg"], render: (_, { device, var_name }) => (var_name === "" ? device : `${device} / ${var_name}`) },
        { title: words.time, dataIndex: "time", width: 190, responsive: ["md"], defaultSortOrder: "descend", sorter: (a, b) => a.time - b.time, render: (time: number) => <When at={time} /> },
        { title: words.operation, key: "operation", width: actions.may ? undefined : 1, hidden: !actions.may, render: (_, row) => <Operation row={row} shelved={shelvedOf(row.name)} {...actions} /> },
      ]}
    />
  );
}

function ShelvedList({ rows, may, reload }: { rows: Shelved[]; may: boolean; reload: () => void }) {
  const act = useDo();
  if (rows.length === 0) {
    return null;
  }
  return (
    <Card size="small" title={words.shelvedList}>
      <Table<Shelved>
        rowKey="name"
        size="small"
        dataSource={rows}
        pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
        columns={[
          { title: words.name, dataIndex: "name" },
          { title: words.shelvedUntil, dataIndex: "until", render: (until: number) => <When at={until} /> },
          { title: words.who, dataIndex: "by", responsive: ["sm"] },
          {
            title: words.operation,
            key: "operation",
            hidden: !may,
            render: (_, { name }) => (
              <WorkButton size="small" aria-label={`${words.unshelve} ${name}`} work={() => act(() => unshelve(name)).then(reload)}>
                {words.unshelve}
              </WorkButton>
            ),
          },
        ]}
      />
    </Card>
  );
}

export function Realtime() {
  const loaded = useLoad(listAlarms);
  const [told, setTold] = useState<Alarms>();
  const [shelving, setShelving] = useState<string>();
  const { can } = useSession();
  const may = can("operator");
  const act = useDo();
  useEvents<unknown, Alarms>({ alarms: true }, { onAlarms: setTold });
  // Whichever came last: an answer, or an event.
  useEffect(() => setTold(undefined), [loaded.data]);
  const { reload } = loaded;

  return (
    <Shown loaded={loaded}>
      {(first) => {
        const data = told ?? first;
        const fresh = data.alarms.filter(({ acknowledged }) => !acknowledged);
        const acknowledgeAll = () =>
          act(async () => {
            for (const { name } of fresh) {
              await acknowledge(name);
            }
          }, words.acknowledged).then(reload);
        return (
          <>
            <Unread rows={data.unread} />
            <div className="ps-row">
              <span role="status" className="ga-count">
                {words.onCount(data.alarms.length, data.defined)}
              </span>
              {may && fresh.length > 1 && <WorkButton work={acknowledgeAll}>{words.acknowledgeAll}</WorkButton>}
            </div>
            {data.alarms.length > 0 ? (
              <AlarmTable data={data} may={may} reload={reload} onShelve={setShelving} />
            ) : data.defined > 0 ? (
              <Empty text={words.noneOn} />
            ) : (
              <Empty text={words.noneDefined}>
                {can("engineer") && <Button href={to("alarms", "strategy")}>{words.defineOne}</Button>}
              </Empty>
            )}
            <ShelvedList rows={data.shelved} may={may} reload={reload} />
            {shelving !== undefined && <ShelveDialog name={shelving} onDone={reload} onClose={() => setShelving(undefined)} />}
          </>
        );
      }}
    </Shown>
  );
}
