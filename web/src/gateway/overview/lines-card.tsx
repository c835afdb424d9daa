// The load of lines: of each endpoint how much of the time it is read, for which group most, and which
// devices are left alone until when. The busiest stand first.
import { Button, Card, Tag } from "antd";
import { useState } from "react";
import { Empty } from "../../shared/parts";
import { to } from "../../shared/route";
import type { LineStatus } from "../status";
import { span } from "../time";
import { local } from "../time-text";
import { barText, busiestText, CLOSE, percentText, sorted, summaryOf, toneOf } from "./lines";
import { words } from "./words";

/** The bar's end is a line that is read all the time; the mark is where it has little room left. */
function Bar({ line }: { line: LineStatus }) {
  return (
    <div className="ps-load" role="img" aria-label={barText(line)}>
      <div className="ps-load-part" style={{ width: `${Math.min(1, line.load) * 100}%` }} />
      <div className="ps-load-mark" style={{ insetInlineStart: `${CLOSE * 100}%` }} />
    </div>
  );
}

const ALONE_SHOWN = 3;

/** Devices that do not answer are not asked in each cycle, so that the others keep theirs. */
function Alone({ line, at }: { line: LineStatus; at: number }) {
  const all = line.breakers ?? [];
  const more = line.devices_away - Math.min(all.length, ALONE_SHOWN);
  return (
    <>
      {all.slice(0, ALONE_SHOWN).map(({ device, state, next_try_s }) => (
        <div key={device} className="ps-bad">
          <a href={to("devices", device)}>{device}</a>{" "}
          {state === "open" ? words.alone(local(at + next_try_s, { short: true }), span(Math.ceil(next_try_s))) : words.probing}
        </div>
      ))}
      {more > 0 && all.length > 0 && <div className="ps-bad">{words.moreDown(more)}</div>}
    </>
  );
}

function Line({ line, at }: { line: LineStatus; at: number }) {
  return (
    <li className={`ps-line ps-tone-${toneOf(line)}`}>
      <span className="ps-mono ps-line-name">{line.name}</span>
      <Bar line={line} />
      <strong>{percentText(line.load)}</strong>
      <div className="ps-line-more">
        <div>{busiestText(line) || (line.state === "connected" ? words.notMeasured : words.lineState(line.state))}</div>
        {line.load_warning !== "" && <div className="ps-bad">{line.load_warning}</div>}
        <Alone line={line} at={at} />
      </div>
    </li>
  );
}

const SHOWN = 8;

/** `at`: when the gateway said so, in seconds since 1970. */
export function LinesCard({ lines, at }: { lines: LineStatus[]; at: number }) {
  const [all, setAll] = useState(false);
  const rows = sorted(lines);
  const { busy, alone } = summaryOf(lines);
  return (
    <Card
      size="small"
      title={
        <h2 className="ps-card-title">
          <a href={to("devices")}>{words.lines}</a>
        </h2>
      }
      extra={
        <>
          {busy > 0 && <Tag color="warning">{words.busyLines(busy)}</Tag>}
          {alone > 0 && <Tag color="error">{words.aloneDevices(alone)}</Tag>}
        </>
      }
    >
      {rows.length === 0 ? (
        <Empty text={words.noLines}>
          <a href={to("devices")}>{words.deviceList}</a>
        </Empty>
      ) : (
        <>
          <p className="ps-quiet">{words.linesText}</p>
          <ul className="ps-lines" aria-label={words.lines}>
            {(all ? rows : rows.slice(0, SHOWN)).map((line) => (
              <Line key={line.name} line={line} at={at} />
            ))}
          </ul>
          {rows.length > SHOWN && (
            <Button type="link" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? words.fewerLines(SHOWN) : words.allLines(rows.length)}
            </Button>
          )}
        </>
      )}
    </Card>
  );
}
