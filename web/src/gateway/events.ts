// Live data for pages: alarms, status, log lines and values of variables, over one stream.
import { useEffect, useRef } from "react";
import { LostError, parse, path, Problem, send } from "./api";
import type { ServerEvent } from "./event-parse";
import { EventStream } from "./event-stream";
import { emptyList, keyOf, type Watched, wantedList } from "./watches";

export type { Watched } from "./watches";

export interface LiveValue {
  device: string;
  name: string;
  value: unknown;
  text: string;
  quality: string;
  /** Seconds since 1970. */
  time: number;
}

export interface LogLine {
  seq: number;
  time: number;
  level: string;
  source: string;
  text: string;
  line?: number;
  /** Name of the message whose script wrote it. */
  script?: string;
}

export interface Wants {
  alarms?: boolean;
  status?: boolean;
  /** Least level of the lines that are wanted. */
  log?: string;
  watch?: readonly Watched[];
}

export interface Handlers<Status = unknown, Alarms = unknown> {
  onAlarms?: (alarms: Alarms) => void;
  onStatus?: (status: Status) => void;
  onLog?: (lines: LogLine[]) => void;
  /** Lines of the log that the gateway holds no more or did not send. */
  onLogMissed?: (count: number) => void;
  onValues?: (values: LiveValue[]) => void;
  /** The stream is open, again: what it does not repeat can be asked for without a gap. */
  onOpen?: () => void;
}

interface Part {
  wants: Wants;
  handlers: { current: Handlers<never, never> };
}

const LEVELS = ["debug", "info", "warning", "error"];
/** Pages come and go, tables scroll: what changes in quick succession is asked for once. */
const SETTLE_MS = 60;

const parts = new Set<Part>();
const newest = new Map<string, LiveValue>();
let watching = emptyList();
let watch: string | undefined;
let opened = "";
let settle: ReturnType<typeof setTimeout> | undefined;
let hidden: ReturnType<typeof setTimeout> | undefined;
let asleep = false;
let asking: Promise<void> = Promise.resolve();

const stream = new EventStream(
  onEvent,
  () => {
    watching = emptyList();
    watch = undefined;
    opened = "";
    soon();
  },
  () => each(({ onOpen }) => onOpen?.()),
);

function each(told: (handlers: Handlers<unknown, unknown>, wants: Wants) => void): void {
  parts.forEach(({ handlers, wants }) => told(handlers.current as Handlers<unknown, unknown>, wants));
}

function valuesOf(rows: [number, unknown, string, string, number][]): LiveValue[] {
  return rows.flatMap(([index, value, text, quality, time]) => {
    const one = watching.list[index];
    return one ? [{ device: one[0], name: one[1], value, text, quality, time }] : [];
  });
}

function giveValues(values: LiveValue[]): void {
  values.forEach((value) => newest.set(keyOf([value.device, value.name]), value));
  each(({ onValues }, wants) => {
    if (onValues && wants.watch) {
      const mine = new Set(wants.watch.map(keyOf));
      const some = values.filter(({ device, name }) => mine.has(keyOf([device, name])));
      if (some.length > 0) {
        onValues(some);
      }
    }
  });
}

function onEvent({ name, data }: ServerEvent): void {
  const body = parse(data) as Record<string, unknown> | undefined;
  if (body === undefined || body === null) {
    return;
  }
  if (name === "values") {
    giveValues(valuesOf((body["v"] ?? []) as [number, unknown, string, string, number][]));
  } else if (name === "status") {
    each(({ onStatus }) => onStatus?.(body));
  } else if (name === "alarms") {
    each(({ onAlarms }) => onAlarms?.(body));
  } else if (name === "log") {
    const lines = (Array.isArray(body) ? body : Array.isArray(body["lines"]) ? body["lines"] : [body]) as LogLine[];
    each(({ onLog }, wants) => wants.log !== undefined && onLog?.(lines));
  } else if (name === "missed") {
    each(({ onLogMissed }) => onLogMissed?.(Number(body["log"] ?? body["missed"] ?? 0)));
  }
}

/** The gateway's watch is brought to what is wanted; the stream is opened anew when it must be. */
async function watchAnew(): Promise<void> {
  const wanted = [...parts].flatMap(({ wants }) => wants.watch ?? []);
  const { next, fresh } = wantedList(watching, wanted);
  if (next === watching) {
    return;
  }
  const old = watch;
  if (!fresh && old !== undefined) {
    watching = next;
    await send("PUT", path`/watches/${old}`, { variables: next.list });
    return;
  }
  newest.clear();
  const made = next.list.length > 0 ? await send<{ id: string | number }>("POST", "watches", { variables: next.list }) : undefined;
  stream.close();
  opened = "";
  watching = next;
  watch = made === undefined ? undefined : String(made.id);
  if (old !== undefined) {
    await send("DELETE", path`/watches/${old}`).catch(() => undefined);
  }
}

function lowest(levels: string[]): string | undefined {
  return LEVELS.find((level) => levels.includes(level)) ?? levels[0];
}

async function bringAbout(): Promise<void> {
  try {
    await watchAnew();
  } catch (error) {
    if (error instanceof Problem && error.status === 404) {
      watch = undefined;
      watching = emptyList();
    }
    if (error instanceof LostError || (error instanceof Problem && error.status === 404)) {
      setTimeout(soon, 1000);
    }
  }
  const all = [...parts].map(({ wants }) => wants);
  const query = {
    watch,
    alarms: all.some(({ alarms }) => alarms) || undefined,
    status: all.some(({ status }) => status) || undefined,
    log: lowest(all.flatMap(({ log }) => (log === undefined ? [] : [log]))),
  };
  const wanted = JSON.stringify(query);
  if (wanted === opened || asleep) {
    return;
  }
  opened = wanted;
  if (wanted === "{}") {
    stream.close();
  } else {
    stream.open(query);
  }
}

function soon(): void {
  clearTimeout(settle);
  settle = setTimeout(() => {
    // One after the other: a watch that is being made must be known before the next change.
    asking = asking.then(bringAbout);
  }, SETTLE_MS);
}

/**
 * A window that nobody sees gives its line back: browsers have six to one server, for all windows
 * together. Seen again, it goes on where it was.
 */
const HIDDEN_MS = 20_000;

function onVisibility(): void {
  clearTimeout(hidden);
  if (document.hidden) {
    hidden = setTimeout(() => {
      stream.close();
      opened = "";
      asleep = true;
    }, HIDDEN_MS);
  } else if (asleep) {
    asleep = false;
    soon();
  }
}

if (typeof document !== "undefined") {
  document.addEventListener("visibilitychange", onVisibility);
}

/** After a new log-in. */
export function openEventsAnew(): void {
  opened = "";
  watching = emptyList();
  watch = undefined;
  soon();
}

/** Live data while the component is shown. `watch` and the rest may change at any time. */
export function useEvents<Status = unknown, Alarms = unknown>(wants: Wants, handlers: Handlers<Status, Alarms>): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  const wish = JSON.stringify(wants);
  useEffect(() => {
    const part: Part = { wants: JSON.parse(wish) as Wants, handlers: latest as Part["handlers"] };
    parts.add(part);
    const known = (part.wants.watch ?? []).flatMap((one) => newest.get(keyOf(one)) ?? []);
    if (known.length > 0) {
      latest.current.onValues?.(known);
    }
    soon();
    return () => {
      parts.delete(part);
      soon();
    };
  }, [wish]);
}
