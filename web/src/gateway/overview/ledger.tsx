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

/** The editor of a message, where its kind is known. */
function Name({ name, status }: { name: string; status: SmallStatus }) {
  const kind = status.workers?.find((worker) => worker.name === name)?.kind;
  return <a href={kind === undefined ? to("messages") : to("messages", kind, name)}>{name}</a>;
}

function Row({ row, status }: { row: Ledger; status?: SmallStatus }) {
  return (
    <tr>
      <th scope="row">{status ? <Name name={row.name} status={status} /> : row.name}</th>
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

function Books({ rows, status }: { rows: Ledger[]; status: SmallStatus }) {
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
            <Row key={row.name} row={row} status={status} />
          ))}
        </tbody>
        {rows.length > 1 && (
          <tfoot>
            <Row row={totalOf(rows)} />
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
      {rows.length === 0 ? <Empty text={words.noMessages} /> : <Books rows={rows} status={status} />}
    </Card>
  );
}
