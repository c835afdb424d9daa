// Between a message of penstock.json and the editor's fields. Pure.
import type { Message } from "./calls";
import { type Kind, MAIN, scriptPath } from "./template";

export const FIRST: Readonly<Record<Kind, readonly string[]>> = {
  publish: ["name", "topic", "qos", "group_type", "groups", "main_function"],
  subscribe: ["name", "topic", "qos", "main_function"],
};

export const LIMITS: readonly string[] = [
  "script",
  "timeout",
  "memory_mb",
  "cpu_percent",
  "threads",
  "scratch_mb",
  "network",
  "live_first",
  "when_full",
  "split",
  "pack_kib",
  "gap_topic",
];

export type Values = Partial<Message>;

/** A new message: Device Supervisor's defaults. */
export function fresh(kind: Kind): Values {
  return kind === "publish"
    ? { qos: 1, group_type: "collect", groups: ["default"], main_function: MAIN }
    : { qos: 0, main_function: MAIN };
}

const empty = (value: unknown) => value === undefined || value === null || value === "";

/** What is sent; a new message's script gets a file named after it. */
export function messageOf(kind: Kind, values: Values, scripts: readonly string[]): Values {
  const keys = new Set([...FIRST[kind], ...LIMITS]);
  const kept = Object.fromEntries(Object.entries(values).filter(([key, value]) => keys.has(key) && !empty(value)));
  return { ...kept, script: values.script || scriptPath(values.name ?? "", scripts) };
}

/** The required fields that are not filled in. */
export function missing(kind: Kind, values: Values): string[] {
  return FIRST[kind].filter((key) => {
    const value = values[key];
    return (key !== "qos" && empty(value)) || (key === "groups" && (values.groups ?? []).length === 0);
  });
}

export const sameValues = (a: Values, b: Values) => {
  const text = (values: Values) =>
    JSON.stringify(
      Object.entries(values)
        .filter(([, value]) => !empty(value))
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return text(a) === text(b);
};
