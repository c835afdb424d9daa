// The lists of messages: what is published and subscribed to, how their scripts and deliveries are.
import { EllipsisOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Card, Dropdown, Table, Tag, Tooltip } from "antd";
import { Empty, useConfirm, useDo, WorkButton } from "../../shared/parts";
import { go, to } from "../../shared/route";
import { words as shared } from "../../shared/words";
import { useEdit } from "../edit";
import { useSession } from "../session";
import { clearOutbox, type Ledger, type Message, release, type Worker } from "./calls";
import type { Kind } from "./template";
import { words } from "./words";

const COLOURS: Readonly<Record<string, string>> = {
  starting: "processing",
  running: "success",
  crashed: "error",
  held: "error",
  stopping: "warning",
  stopped: "default",
};

function State({ worker, may, onChanged }: { worker: Worker | undefined; may: boolean; onChanged: () => void }) {
  const act = useDo();
  if (!worker) {
    return <Tag>{words.noWorker}</Tag>;
  }
  const { name, state, calls, errors, restarts, rss_kib: kib, last_error: error } = worker;
  const about = words.workerText(calls, errors, restarts, (kib / 1024).toFixed(1));
  return (
    <div className="gm-state">
      <Tooltip title={about}>
        <Tag color={COLOURS[state] ?? "default"} tabIndex={0} aria-label={`${words.states[state] ?? state}. ${about}`}>
          {words.states[state] ?? state}
        </Tag>
      </Tooltip>
      {state === "held" && may && (
        <WorkButton
          size="small"
          aria-label={`${words.release} ${name}`}
          work={() => act(() => release(name), words.released(name)).then(onChanged)}
        >
          {words.release}
        </WorkButton>
      )}
      {error !== "" && state !== "running" && <div className="gm-bad gm-error">{error}</div>}
    </div>
  );
}

const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((all, one) => all + one, 0);

function Delivery({ ledger }: { ledger: Ledger | undefined }) {
  if (!ledger) {
    return <span>–</span>;
  }
  const dropped = sum(ledger.dropped);
  return (
    <div className="gm-delivery">
      <span data-delivered={ledger.name}>{ledger.delivered.toLocaleString("en")}</span>
      {ledger.waiting > 0 && (
        <Tag color="warning">
          {ledger.waiting.toLocaleString("en")} {words.waiting.toLowerCase()}
        </Tag>
      )}
      {dropped > 0 && (
        <Tag color="error">
          {dropped.toLocaleString("en")} {words.dropped.toLowerCase()}
        </Tag>
      )}
      {ledger.dead > 0 && (
        <a href={to("messages", "dead", ledger.name)}>
          {ledger.dead.toLocaleString("en")} {words.deadCount.toLowerCase()}
        </a>
      )}
    </div>
  );
}

export interface ListProps {
  kind: Kind;
  rows: Message[];
  workers: Worker[];
  ledgers: Ledger[];
  onChanged: () => void;
}

function Operation({ kind, row, waiting, onChanged }: { kind: Kind; row: Message; waiting: number; onChanged: () => void }) {
  const confirm = useConfirm();
  const act = useDo();
  const { edit } = useEdit();
  const may = useSession().can("engineer");
  const { name } = row;
  const remove = () =>
    confirm(words.deleteTitle(name), words.deleteText, words.remove, async () => {
      if (await act(() => edit([{ op: "delete", block: kind, name }], { done: words.deleted(name) }))) {
        onChanged();
      }
    });
  const clear = () =>
    confirm(words.clearTitle(name, waiting), words.clearText, words.clear, () => act(() => clearOutbox(name)).then(onChanged));
  if (!may) {
    return <a href={to("messages", kind, name)}>{words.view}</a>;
  }
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        items: [
          { key: "edit", label: words.edit, onClick: () => go("messages", kind, name) },
          { key: "clear", label: words.clear, danger: true, disabled: waiting === 0, onClick: clear },
          { key: "delete", label: words.remove, danger: true, onClick: remove },
        ],
      }}
    >
      <Button type="text" icon={<EllipsisOutlined />} aria-label={`${shared.actions} ${name}`} />
    </Dropdown>
  );
}

export function MessageList({ kind, rows, workers, ledgers, onChanged }: ListProps) {
  const { can } = useSession();
  const workerOf = (name: string) => workers.find((worker) => worker.name === name && worker.kind === kind);
  const ledgerOf = (name: string) => ledgers.find((ledger) => ledger.name === name);
  const count = (name: string) =>
    kind === "publish" ? <Delivery ledger={ledgerOf(name)} /> : <Calls worker={workerOf(name)} ledger={ledgerOf(name)} />;
  return (
    <Card
      size="small"
      title={words.lists[kind]}
      extra={
        can("engineer") && (
          <Button icon={<PlusOutlined />} href={to("messages", `new-${kind}`)} aria-label={words.addOf[kind]}>
            {words.addOf[kind]}
          </Button>
        )
      }
    >
      <p className="gm-second">{words.listText[kind]}</p>
      {rows.length === 0 ? (
        <Empty text={words.none[kind]} />
      ) : (
        <Table<Message>
          rowKey="name"
          size="middle"
          dataSource={rows}
          pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
          columns={[
            {
              title: words.name,
              dataIndex: "name",
              sorter: (a, b) => a.name.localeCompare(b.name),
              render: (name: string, row) => (
                <>
                  <a href={to("messages", kind, name)}>{name}</a>
                  <div className="gm-narrow ps-mono">{row.topic}</div>
                </>
              ),
            },
            { title: words.topic, dataIndex: "topic", responsive: ["md"], render: (topic: string) => <span className="ps-mono">{topic}</span> },
            { title: words.qos, dataIndex: "qos", responsive: ["lg"], width: 110 },
            ...(kind === "publish"
              ? [
                  {
                    title: words.group,
                    dataIndex: "groups",
                    responsive: ["lg" as const],
                    render: (groups: string[] | undefined) => (
                      <span className="ps-row">
                        {(groups ?? []).map((group) => (
                          <Tag key={group}>{group}</Tag>
                        ))}
                      </span>
                    ),
                  },
                ]
              : []),
            { title: words.mainFunction, dataIndex: "main_function", responsive: ["xl"], render: (name: string) => <span className="ps-mono">{name}</span> },
            {
              title: words.scriptState,
              key: "state",
              render: (_, { name }) => (
                <>
                  <State worker={workerOf(name)} may={can("operator")} onChanged={onChanged} />
                  <div className="gm-phone">{count(name)}</div>
                </>
              ),
            },
            { title: kind === "publish" ? words.delivered : words.calls, key: "count", responsive: ["sm"], render: (_, { name }) => count(name) },
            {
              title: <span className="gm-wide">{words.operation}</span>,
              key: "operation",
              
              render: (_, row) => <Operation kind={kind} row={row} waiting={ledgerOf(row.name)?.waiting ?? 0} onChanged={onChanged} />,
            },
          ]}
        />
      )}
    </Card>
  );
}

/** Of a subscribe message: how often it was called, and what it left unfinished. */
function Calls({ worker, ledger }: { worker: Worker | undefined; ledger: Ledger | undefined }) {
  return (
    <div className="gm-delivery">
      <span>{worker ? worker.calls.toLocaleString("en") : "–"}</span>
      {(ledger?.dead ?? 0) > 0 && (
        <a href={to("messages", "dead", ledger?.name ?? "")}>
          {ledger?.dead.toLocaleString("en")} {words.deadCount.toLowerCase()}
        </a>
      )}
    </div>
  );
}
