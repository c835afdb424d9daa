// The ledger: what became of every message, by name. A plain table: the large one of the component
// library would be a sixth of what the first page loads.
import { Card, Tag } from "antd";
import { Empty } from "../../shared/parts";
import { to } from "../../shared/route";
import type { Ledger, SmallStatus } from "../status";
import { countText, droppedOf, totalOf } from "./figures";
import { words } from "./words";

const COLUMNS: { title: string; value: (row: Ledger) => number; bad?: boolean }[] = [
  { title: words.accepted, value: ({ accepted }) => accepted },
  { title: words.delivered, value: ({ delivered }) => delivered },
  { title: words.waits, value: ({ waiting }) => waiting },
  { title: words.dropped, value: droppedOf, bad: true },
  { title: words.dead, value: ({ dead }) => dead, bad: true },
];

function Row({ row, sum = false }: { row: Ledger; sum?: boolean }) {
  return (
    <tr>
      <th scope="row">{sum ? row.name : <a href={to("messages", row.name)}>{row.name}</a>}</th>
      {COLUMNS.map(({ title, value, bad }) => {
        const count = value(row);
        return (
          <td key={title} className={bad && count > 0 ? "ps-bad" : undefined}>
            {countText(count)}
          </td>
        );
      })}
    </tr>
  );
}

function Books({ rows }: { rows: Ledger[] }) {
  return (
    <div className="ps-scroll" role="region" aria-label={words.ledger} tabIndex={0}>
      <table className="ps-table">
        <thead>
          <tr>
            <th scope="col">{words.message}</th>
            {COLUMNS.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
        {rows.length > 1 && (
          <tfoot>
            <Row row={totalOf(rows)} sum />
          </tfoot>
        )}
      </table>
    </div>
  );
}

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
      {rows.length === 0 ? <Empty text={words.noMessages} /> : <Books rows={rows} />}
    </Card>
  );
}
