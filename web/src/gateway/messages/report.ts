// What a run did, as people read it. Pure.
import type { Publish, Report } from "./mistakes";

const KIB = 1024;

export function size(bytes: number): string {
  return bytes < KIB ? `${bytes} B` : bytes < KIB * KIB ? `${trim(bytes / KIB)} KiB` : `${trim(bytes / KIB / KIB)} MiB`;
}

const trim = (number: number) => String(Number(number.toPrecision(3)));

export function milliseconds(seconds: number): string {
  const ms = seconds * 1000;
  return ms >= 1000 ? `${trim(seconds)} s` : `${trim(ms)} ms`;
}

/** Share of the limit, 0 to 100; undefined where there is none. */
export function share({ bytes, limit }: Publish): number | undefined {
  return limit === undefined || limit <= 0 ? undefined : Math.min(100, Math.round((bytes / limit) * 1000) / 10);
}

/** What was returned goes to the message's topic: the run was asked without one. */
export const isReturned = ({ method, topic }: Publish) => method === "publish" && topic === "";

export const isNothing = ({ publishes, writes }: Report) => publishes.length === 0 && writes.length === 0;

/** A topic that a filter matches: `cmd/+/#` is tried with `cmd/sample/sample`. */
export const sampleTopic = (filter: string) => filter.replace(/[+#]/g, "sample");

/** The first difference in two texts, for a mark: the count of characters that are the same. */
export function sameUntil(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) {
    i++;
  }
  return i;
}
