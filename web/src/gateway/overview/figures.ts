// What the overview says, out of the gateway's state. Pure.
import type { History, Ledger, LineStatus, SmallStatus } from "../status";
import { span } from "../time-text";
import { words } from "./words";

export type LinkKind = keyof typeof words.states;

/** The words that the gateway has for its link. */
const LINK: Record<string, LinkKind> = {
  "Not Enabled": "off",
  Connecting: "connecting",
  "Connection Successful": "connected",
  Disconnect: "disconnected",
  "Unknown Error": "disconnected",
};

export function linkKind(state: string | undefined): LinkKind {
  return LINK[state ?? ""] ?? "unknown";
}

export function rateText(rate: number | undefined): string {
  if (rate === undefined || !Number.isFinite(rate)) {
    return "–";
  }
  return rate >= 100 || rate === 0 ? String(Math.round(rate)) : rate >= 10 ? rate.toFixed(1) : rate.toFixed(2);
}

export function countText(count: number | undefined): string {
  return count === undefined ? "–" : count.toLocaleString("en-US").replaceAll(",", "\u2009");
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${SIZES[unit]}`;
}

/** Below this many messages a queue is not a backlog: they are on their way. */
const BACKLOG_LEAST = 100;
const STANDS = 0.1;

/** How long a backlog still takes, in words; undefined when there is none worth the word. */
export function backlogText(waiting: number, drainedPerS: number | undefined): string | undefined {
  if (waiting <= BACKLOG_LEAST || drainedPerS === undefined) {
    return undefined;
  }
  if (drainedPerS > STANDS) {
    return words.left(span(waiting / drainedPerS));
  }
  return drainedPerS < -STANDS ? words.grows(rateText(-drainedPerS)) : words.stands;
}

export function droppedOf({ dropped }: Ledger): number {
  return Object.values(dropped ?? {}).reduce((sum, count) => sum + count, 0);
}

export function totalOf(rows: Ledger[]): Ledger {
  const sum = (key: "accepted" | "delivered" | "waiting" | "dead") => rows.reduce((all, row) => all + (row[key] ?? 0), 0);
  return {
    name: words.total,
    accepted: sum("accepted"),
    delivered: sum("delivered"),
    waiting: sum("waiting"),
    dead: sum("dead"),
    dropped: { all: rows.reduce((all, row) => all + droppedOf(row), 0) },
  };
}

export interface Counts {
  devices: number | undefined;
  up: number | undefined;
}

const UP = new Set(["answers", "up"]);

export const isUp = (state: string) => UP.has(state.toLowerCase());

export function countsOf({ devices, devices_up, devices_total }: SmallStatus): Counts {
  return {
    devices: devices_total ?? devices?.length,
    up: devices_up ?? devices?.filter(({ state }) => isUp(state)).length,
  };
}

/** The figures of the small curves as they are now. */
export function figuresOf(status: SmallStatus): Record<string, number | undefined> {
  return {
    messages_per_s: status.rates?.["messages_per_s"] ?? status.outbox?.delivery?.per_s,
    values_per_s: status.rates?.["values_per_s"],
    waiting: status.outbox?.waiting,
    devices_up: countsOf(status).up,
    alarms: status.alarms?.active,
  };
}

export const POINTS_MOST = 120;

/** `history` with the figures of now at its end. */
export function grown(history: History, figures: Record<string, number | undefined>): History {
  const keys = new Set([...Object.keys(history.points), ...Object.keys(figures)]);
  const longest = Math.max(0, ...Object.values(history.points).map(({ length }) => length));
  const points = Object.fromEntries(
    [...keys].map((key) => {
      const old = history.points[key] ?? [];
      const padded = [...Array<null>(Math.max(0, longest - old.length)).fill(null), ...old];
      return [key, [...padded, figures[key] ?? null].slice(-POINTS_MOST)];
    }),
  );
  return { step_s: history.step_s, points };
}

/** An event has the busiest of many lines; the others stay as they were. */
function withLines(was: LineStatus[], next: LineStatus[]): LineStatus[] {
  const told = new Set(next.map(({ name }) => name));
  return next.length < was.length ? [...next, ...was.filter(({ name }) => !told.has(name))] : next;
}

/** What an event brings over what is known: an event leaves out what does not change. */
export function merged(was: SmallStatus | undefined, next: SmallStatus): SmallStatus {
  return {
    ...was,
    ...next,
    link: next.link ? { ...was?.link, ...next.link } : was?.link,
    outbox: next.outbox ? { ...was?.outbox, ...next.outbox } : was?.outbox,
    channels: next.channels ? withLines(was?.channels ?? [], next.channels) : was?.channels,
    history: next.history ?? was?.history,
  };
}

export type Step = keyof typeof words.steps;

/** Which of the first steps are done. */
export function stepsOf(status: SmallStatus): Record<Step, boolean> {
  const messages = status.messages ?? [];
  const { devices } = countsOf(status);
  const withVariables = (status.devices ?? []).some(({ variables }) => variables === undefined || variables > 0);
  return {
    administrator: true,
    device: (devices ?? 0) > 0 && withVariables,
    cloud: linkKind(status.link?.state) === "connected" || (status.link?.connects ?? 0) > 0,
    message: messages.length > 0,
    delivery: messages.some(({ delivered }) => delivered > 0) || (status.link?.acknowledged ?? 0) > 0,
  };
}
