// What an import would do, as the gateway answers it, and the files it is asked about. Pure.

export const STATES = ["added", "changed", "unchanged", "not taken"] as const;
export type RowState = (typeof STATES)[number];

export interface PlanRow {
  file: string;
  line: number;
  state: RowState;
  name: string;
  device: string;
  changes: { key: string; before: string; after: string }[];
  problems: { column: string; text: string }[];
}

export interface PlanFile {
  name: string;
  title: string;
  block: string;
  added: number;
  changed: number;
  unchanged: number;
  not_taken: number;
  failure?: string;
}

export interface Plan {
  files: PlanFile[];
  rows: PlanRow[];
  notes: { file: string; column: string; text: string; first_line: number; rows: number }[];
  findings: { severity: string; object: string; field: string; text: string }[];
  written?: boolean;
  reason?: string;
}

export type Counts = Record<RowState, number>;

export function countsOf(files: readonly PlanFile[]): Counts {
  const sum = (part: (file: PlanFile) => number) => files.reduce((total, file) => total + part(file), 0);
  return {
    added: sum(({ added }) => added),
    changed: sum(({ changed }) => changed),
    unchanged: sum(({ unchanged }) => unchanged),
    "not taken": sum(({ not_taken }) => not_taken),
  };
}

/** Is there anything to apply, and nothing that keeps it from being sound? */
export function canApply(plan: Plan): boolean {
  const counts = countsOf(plan.files);
  return (
    plan.files.every(({ failure }) => failure === undefined || failure === "") &&
    plan.findings.every(({ severity }) => severity !== "error") &&
    counts.added + counts.changed > 0
  );
}

/** In UTF-8 when they are; else Windows-1252, as older spreadsheets write. */
export function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** What a row would become, in words: `unit: °C -> bar`. */
export const changeText = ({ key, before, after }: PlanRow["changes"][number]) =>
  `${key}: ${before === "" ? "(none)" : before} → ${after === "" ? "(none)" : after}`;
