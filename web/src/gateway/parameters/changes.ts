// What a form changes of a block, and of the custom parameters. Pure.
import { onlyAsked } from "../devices/modbus";

type Draft = Readonly<Record<string, unknown>>;

/** Keys whose values differ; one that is emptied is null: it has its default again. */
export function changesOf(before: Draft, after: Draft, keys: readonly string[]): Record<string, unknown> {
  const was = onlyAsked(before, keys);
  const is = onlyAsked(after, keys);
  return Object.fromEntries(keys.filter((key) => was[key] !== is[key]).map((key) => [key, is[key] ?? null]));
}

export type Custom = Readonly<Record<string, string | null>>;

/** `custom` with one parameter more, or another in the place of `old`. A value of null stays as it is. */
export function withParameter(custom: Custom, old: string | undefined, name: string, value: string | null): Custom {
  if (old === undefined) {
    return { ...custom, [name]: value };
  }
  return Object.fromEntries(Object.entries(custom).map(([key, was]) => (key === old ? [name, value] : [key, was])));
}

export function withoutParameter(custom: Custom, name: string): Custom {
  return Object.fromEntries(Object.entries(custom).filter(([key]) => key !== name));
}

/** What is wrong with the name of a parameter. */
export function nameMistake(custom: Custom, old: string | undefined, name: string): "rule" | "taken" | undefined {
  if (!/^[^${}\s][^${}]{0,127}$/.test(name)) {
    return "rule";
  }
  return name !== old && Object.keys(custom).includes(name) ? "taken" : undefined;
}
