// Lines of the log in the page: kept in order, each once, and chosen by what one looks for. Pure.
import type { LogLine } from "../events";

export const LINES_MOST = 5000;
export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;

/** `lines` with those of `more` that are new; the oldest go when there are too many. */
export function appended(lines: LogLine[], more: LogLine[], most = LINES_MOST): LogLine[] {
  const last = lines[lines.length - 1]?.seq ?? 0;
  const inOrder = more.every(({ seq }, i) => seq > (more[i - 1]?.seq ?? last));
  if (inOrder) {
    return more.length === 0 ? lines : [...lines, ...more].slice(-most);
  }
  const all = new Map([...lines, ...more].map((line) => [line.seq, line]));
  return all.size === lines.length ? lines : [...all.values()].sort((a, b) => a.seq - b.seq).slice(-most);
}

export interface LogFilter {
  level: string;
  source: string;
  script: string;
  text: string;
}

export const rank = (level: string) => LEVELS.indexOf(level.toUpperCase() as (typeof LEVELS)[number]);

export function chosen(lines: LogLine[], { level, source, script, text }: LogFilter): LogLine[] {
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
