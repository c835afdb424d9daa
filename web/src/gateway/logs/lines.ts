// Lines of the log in the page: kept in order, each once, and chosen by what one looks for. Pure.
import type { LogLine } from "../events";

export const LINES_MOST = 5000;
export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;

/** A line with the run of the gateway it is of: each start counts lines from one again. */
export interface KeptLine extends LogLine {
  run: number;
}

export const keyOf = ({ run, seq }: KeptLine) => `${run}:${seq}`;

/** A smaller number at a later time is of a gateway that was started anew. */
function runOf(line: LogLine, last: KeptLine | undefined): number {
  if (last === undefined) {
    return 0;
  }
  return line.seq <= last.seq && line.time > last.time ? last.run + 1 : last.run;
}

/** `lines` with those of `more` that are new; the oldest go when there are too many. */
export function appended(lines: KeptLine[], more: LogLine[], most = LINES_MOST): KeptLine[] {
  const added: KeptLine[] = [];
  let last = lines[lines.length - 1];
  let known: Set<string> | undefined;
  let early = false;
  for (const line of more) {
    const next = { ...line, run: runOf(line, last) };
    if (last === undefined || next.run > last.run || next.seq > last.seq) {
      last = next;
      known?.add(keyOf(next));
      added.push(next);
      continue;
    }
    known ??= new Set([...lines, ...added].map(keyOf));
    if (!known.has(keyOf(next))) {
      early = true;
      known.add(keyOf(next));
      added.push(next);
    }
  }
  if (added.length === 0) {
    return lines;
  }
  const all = [...lines, ...added];
  return (early ? all.sort((a, b) => a.run - b.run || a.seq - b.seq) : all).slice(-most);
}

export interface LogFilter {
  level: string;
  source: string;
  script: string;
  text: string;
}

export const rank = (level: string) => LEVELS.indexOf(level.toUpperCase() as (typeof LEVELS)[number]);

export function chosen(lines: KeptLine[], { level, source, script, text }: LogFilter): KeptLine[] {
  const least = rank(level);
  const wanted = text.trim().toLowerCase();
  return lines.filter(
    (line) =>
      rank(line.level) >= least &&
      (source === "" || line.source === source) &&
      (script === "" || line.script === script) &&
      (wanted === "" || line.text.toLowerCase().includes(wanted)),
  );
}

/** The distinct values of one member, for a choice. */
export function distinct(lines: LogLine[], of: "source" | "script"): string[] {
  return [...new Set(lines.map((line) => line[of] ?? ""))].filter((value) => value !== "").sort();
}

/** A line as the gateway's own log has it, for copying. */
export function whole(line: LogLine, time: string): string {
  const place = line.line ? `${line.source} ${line.line}` : line.source;
  return `[${time}] [${line.level}]${place === "" ? "" : ` [${place}]`}: ${line.text}`;
}
