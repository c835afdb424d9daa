// The bytes of a value in all orders and as all types side by side; one is taken over with a press.
import { Tag } from "antd";
import { matches, ORDERS, type Reading, scaled } from "./byte-order";
import { words } from "./words";

export interface ReadingsTableProps {
  readings: readonly Reading[];
  /** What stands on the device's own display; "": nothing is known. */
  display?: string;
  /** Absent: they are only shown. */
  onTake?: (reading: Reading) => void;
}

/** Columns; pairs of bytes stand in the first two. */
const HEADS = ["abcd / ab", "badc / ba", "cdab", "dcba"];
const PAIRS = ["ab", "ba"];

function columnOf({ order }: Reading): number {
  return Math.max(ORDERS.findIndex((one) => one === order), PAIRS.indexOf(order), 0);
}

function short(text: string): string {
  const number = Number(text);
  return text.length > 14 && text !== "" && Number.isFinite(number) ? number.toExponential(4) : text;
}

function Marks({ reading, display }: { reading: Reading; display: string }) {
  const match = matches(reading, display);
  const power = match ? undefined : scaled(reading, display);
  const { configured, marked } = reading;
  return (
    <>
      {configured && <Tag>{words.orderNow}</Tag>}
      {match ? (
        <Tag color="success">{words.orderMatch}</Tag>
      ) : power !== undefined ? (
        <Tag color="warning">{words.orderScaled(power)}</Tag>
      ) : (
        marked && !configured && display === "" && <Tag color="processing">{words.orderLikely}</Tag>
      )}
    </>
  );
}

function Cell({ reading, display, wide, onTake }: { reading: Reading | undefined; display: string; wide: number; onTake?: (reading: Reading) => void }) {
  if (reading === undefined || reading.text === "") {
    return (
      <td className="gd-nonsense" colSpan={wide}>
        {reading && "–"} {reading?.configured && <Tag>{words.orderNow}</Tag>}
      </td>
    );
  }
  const { type, order, text, likely, configured, settable } = reading;
  const match = matches(reading, display);
  const nonsense = likely === 0 && !configured && scaled(reading, display) === undefined;
  const named = ORDERS.some((one) => one === order) ? order : "";
  return (
    <td colSpan={wide} className={match ? "gd-match" : nonsense ? "gd-nonsense" : undefined}>
      {onTake && settable ? (
        <button type="button" className="gd-take" aria-label={`${short(text)}: ${words.take(type, named)}`} title={text} onClick={() => onTake(reading)}>
          {short(text)}
        </button>
      ) : (
        <span title={text}>{short(text)}</span>
      )}{" "}
      <Marks reading={reading} display={display} />
    </td>
  );
}

/** A row of one type; one that has no order takes all columns. */
function Line({ type, row, display, onTake }: { type: string; row: readonly Reading[]; display: string; onTake?: (reading: Reading) => void }) {
  const alone = row.length === 1;
  const places = alone ? [row[0]] : HEADS.map((_, column) => row.find((reading) => columnOf(reading) === column));
  return (
    <tr>
      <th scope="row">{type}</th>
      {places.map((reading, column) => (
        <Cell key={column} reading={reading} display={display} wide={alone ? HEADS.length : 1} onTake={onTake} />
      ))}
    </tr>
  );
}

export function ReadingsTable({ readings, display = "", onTake }: ReadingsTableProps) {
  const types = [...new Set(readings.map(({ type }) => type))];
  const rows = types
    .map((type) => ({ type, row: readings.filter((reading) => reading.type === type) }))
    .filter(({ row }) => row.some(({ text, configured }) => text !== "" || configured));
  return (
    <div className="gd-order-scroll" role="region" aria-label={words.orderHelp} tabIndex={0}>
      <table>
        <caption className="gd-unseen">{words.orderHelp}</caption>
        <thead>
          <tr>
            <th scope="col">{words.type}</th>
            {HEADS.map((one) => (
              <th key={one} scope="col" className="ps-mono">
                {one}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ type, row }) => (
            <Line key={type} type={type} row={row} display={display} onTake={onTake} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
