// Which lines of a script the gateway complained about, read from its answers. Pure.

export interface Mistake {
  /** Counted from 1; 0: none is named. */
  line: number;
  text: string;
}

export interface LogLine {
  level: string;
  file: string;
  line: number;
  text: string;
}

/** What a trial answers: src/script/trial_report.c. */
export interface Report {
  ok: boolean;
  error: string;
  wall_s: number;
  cpu_s: number;
  peak_kib: number;
  publishes: Publish[];
  writes: { device: string; var_name: string; value: string }[];
  lines: LogLine[];
  left_out: number;
}

export interface Publish {
  method: string;
  topic: string;
  qos: number;
  bytes: number;
  limit?: number;
  too_large: boolean;
  payload?: string;
  payload_hex?: string;
}

export interface Finding {
  severity: string;
  object: string;
  field: string;
  text: string;
}

/** Where Python counts lines of the script itself. */
const SCRIPT = "<string>";

/** `... (<string>, line 3)`, `... at <string> 2`. */
export function lineIn(text: string): number {
  const found = /\(<string>, line (\d+)\)|<string> (\d+)/.exec(text);
  return Number(found?.[1] ?? found?.[2] ?? 0);
}

/** The text without the place, which is shown by the mark. */
const bare = (text: string) => text.replace(/\s*\(<string>, line \d+\)/, "");

/** The lines that a failed run is about: where it was raised, and the calls that led there. */
export function mistakesOfReport(report: Report): Mistake[] {
  if (report.ok) {
    return [];
  }
  const frames = report.lines
    .filter(({ level }) => level === "ERROR")
    .flatMap(({ text }) => Number(/^\s*File "<string>", line (\d+)/.exec(text)?.[1] ?? 0))
    .filter((line) => line > 0);
  const raised = report.lines.find(({ level, file, text }) => level === "ERROR" && file === SCRIPT && /^\S+: /.test(text));
  const line = lineIn(report.error) || (raised?.line ?? 0) || (frames[frames.length - 1] ?? 0);
  const led = [...new Set(frames)].filter((frame) => frame !== line);
  return [{ line, text: bare(report.error) }, ...led.map((frame) => ({ line: frame, text: "called from here" }))];
}

/** Those of one message: a revision is refused for every script that cannot be built. */
export function mistakesOfFindings(findings: Finding[], message: string): Mistake[] {
  return findings
    .filter(({ severity, object }) => severity === "error" && object.endsWith(`'${message}'`))
    .flatMap(({ field, text }) => {
      const line = /^line (\d+)$/.exec(field)?.[1];
      return line !== undefined || field === "main_function" || field === "script"
        ? [{ line: Number(line ?? 0), text: bare(text) }]
        : [];
    });
}

/** Log lines without the traceback's, which is shown as one block. */
export function splitLog(lines: LogLine[]): { said: LogLine[]; traceback: string } {
  const begin = lines.findIndex(({ level, text }) => level === "ERROR" && text.startsWith("Traceback ("));
  if (begin < 0) {
    return { said: lines, traceback: "" };
  }
  let end = begin + 1;
  while (end < lines.length && lines[end]?.level === "ERROR" && /^(\s|\S+(Error|Exception|Interrupt|Exit|Warning)\b)/.test(lines[end]?.text ?? "")) {
    end++;
  }
  // The line before it says the same in short.
  const said = [...lines.slice(0, Math.max(begin - 1, 0)), ...lines.slice(end)];
  return { said, traceback: lines.slice(begin, end).map(({ text }) => text).join("\n") };
}
