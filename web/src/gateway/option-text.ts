// What a form says about an option and its value: label, range, mistakes, defaults. Pure.
import type { Block, Option } from "./options";
import { words } from "./words";

export type Value = Record<string, unknown>;

/** `polling_interval` is "Polling interval". */
export function labelOf(key: string): string {
  const text = key.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const isText = ({ type }: Option) => type === "text" || type === "path";
const isNumber = ({ type }: Option) => type === "int" || type === "number";

/** The range of a number. How long a text may be is said once it is too long. */
export function rangeOf(option: Option): string {
  const min = option.min ?? undefined;
  const max = option.max ?? undefined;
  if (isNumber(option)) {
    const unit = option.unit ? ` ${option.unit}` : "";
    if (min !== undefined && max !== undefined && (min !== 0 || max !== 0)) {
      return `${min} – ${max}${unit}`;
    }
    return option.unit ?? "";
  }
  return "";
}

/** The default as a value of the option's type; undefined when there is none. */
export function fallbackOf(option: Option): unknown {
  const { fallback } = option;
  if (fallback === undefined || fallback === null || typeof fallback !== "string") {
    return fallback ?? undefined;
  }
  if (isNumber(option)) {
    return Number(fallback);
  }
  return option.type === "bool" ? fallback === "true" : option.type === "texts" ? undefined : fallback;
}

/** An object with the documented default of every option. */
export function defaultsOf(block: Block | undefined): Value {
  const pairs = (block?.options ?? []).map((option) => [option.key, fallbackOf(option)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

const isEmpty = (value: unknown) => value === undefined || value === null || value === "";
const bytes = (text: string) => new TextEncoder().encode(text).length;

/** What is wrong with a value before the gateway is asked; undefined: nothing. */
export function mistakeOf(option: Option, value: unknown): string | undefined {
  if (isEmpty(value)) {
    return option.required ? words.required : undefined;
  }
  const min = option.min ?? undefined;
  const max = option.max ?? undefined;
  if (isNumber(option)) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return words.notNumber;
    }
    if (option.type === "int" && !Number.isInteger(value)) {
      return words.notWhole;
    }
    const bounded = min !== undefined && max !== undefined && (min !== 0 || max !== 0);
    return bounded && (value < min || value > max) ? words.outOfRange(rangeOf(option)) : undefined;
  }
  if (isText(option) && typeof value === "string" && max !== undefined && max > 0 && bytes(value) > max) {
    return words.tooLong(max);
  }
  return option.type === "word" && option.words && !option.words.includes(String(value)) ? words.notOneOf : undefined;
}

/** The mistakes of an object, by key. */
export function mistakesOf(block: Block | undefined, value: Value, keys?: readonly string[]): Record<string, string> {
  const options = (block?.options ?? []).filter(({ key }) => keys === undefined || keys.includes(key));
  const pairs = options.map((option) => [option.key, mistakeOf(option, value[option.key])] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
