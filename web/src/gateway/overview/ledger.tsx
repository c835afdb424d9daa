// The ledger: what became of every message, by name.
import { Card, Table, Tag } from "antd";
import { Empty } from "../../shared/parts";
import { to } from "../../shared/route";
import type { Ledger, SmallStatus } from "../status";
import { countText, droppedOf, totalOf } from "./figures";
import { words } from "./words";

const number = (title: string, value: (row: Ledger) => number, bad = false) => ({
  title,
  key: title,
  align: "right" as const,
  render: (_: unknown, row: Ledger) => {
    const count = value(row);
    return <span className={bad && count > 0 ? "ps-bad" : undefined}>{countText(count)}</span>;
  },
});

const COLUMNS = [
  {
    title: words.message,
    dataIndex: "name",
    render: (name: string) => (name === words.total ? <strong>{name}</strong> : <a href={to("messages", name)}>{name}</a>),
  },
  number(words.accepted, ({ accepted }) => accepted),
  number(words.delivered, ({ delivered }) => delivered),
  number(words.waits, ({ waiting }) => waiting),
  number(words.dropped, droppedOf, true),
  number(words.dead, ({ dead }) => dead, true),
];

export function LedgerCard({ status }: { status: SmallStatus }) {
  const rows = status.messages ?? [];
  const adds = status.outbox?.books_add_up;
  return (
    <Card
      size="small"
      title={<h2 className="ps-card-title">{words.ledger}</h2>}
      extra={adds === undefined ? null : <Tag color={adds ? "success" : "error"}>{adds ? words.booksAddUp : words.booksWrong}</Tag>}
    >
      <p className="ps-quiet">{words.ledgerText}</p>
      {rows.length === 0 ? (
        <Empty text={words.noMessages} />
      ) : (
        <Table<Ledger>
          size="small"
          rowKey="name"
          dataSource={rows.length > 1 ? [...rows, totalOf(rows)] : rows}
          pagination={false}
          scroll={{ x: "max-content" }}
          columns={COLUMNS}
        />
      )}
    </Card>
  );
}
