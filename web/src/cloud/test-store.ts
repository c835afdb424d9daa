// The test client's subscriptions and what they received: kept while one looks at other pages. One
// event stream carries all subscriptions, since a browser opens only six connections to a server.
import { address, refusal } from "../shared/api";
import { told } from "../shared/connection";
import { messageOf, type Message } from "./payload";
import { matches } from "./topics";

export interface Subscription {
  filter: string;
  qos: 0 | 1;
  /** Newest first; at most `capture` of them. */
  messages: Message[];
  capture: number;
  unread: number;
  dropped: number;
}

export interface TestState {
  subscriptions: Subscription[];
  /** Filter of the subscription that is shown; undefined: none is. */
  open: string | undefined;
  paused: boolean;
  /** Messages that came while paused, not shown yet. */
  held: number;
  stream: "none" | "opening" | "open" | "lost";
  /** Messages that the server did not send because this page was too slow for them. */
  missed: number;
}

const OPEN_AGAIN_MS = 1000;
/** Messages that arrive together are shown together: a busy topic must not hold the page up. */
const SHOW_EVERY_MS = 100;
/** Kept while paused; older ones are counted only. */
const HELD_MOST = 1000;

let state: TestState = { subscriptions: [], open: undefined, paused: false, held: 0, stream: "none", missed: 0 };
let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let showing: ReturnType<typeof setTimeout> | undefined;
let arrived: Message[] = [];
let key = 0;
const listeners = new Set<() => void>();

function become(part: Partial<TestState>): void {
  state = { ...state, ...part };
  listeners.forEach((listener) => listener());
}

export const watchTest = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const testState = () => state;

/** `subscription` with the messages that match its filter put in front. Pure. */
export function received(subscription: Subscription, messages: Message[], isOpen: boolean): Subscription {
  const mine = messages.filter(({ topic }) => matches(subscription.filter, topic));
  if (mine.length === 0) {
    return subscription;
  }
  const all = [...mine.reverse(), ...subscription.messages];
  return {
    ...subscription,
    messages: all.slice(0, subscription.capture),
    dropped: subscription.dropped + Math.max(all.length - subscription.capture, 0),
    unread: isOpen ? 0 : subscription.unread + mine.length,
  };
}

function show(): void {
  showing = undefined;
  if (state.paused) {
    arrived = arrived.slice(-HELD_MOST);
    become({ held: arrived.length });
    return;
  }
  const messages = arrived;
  arrived = [];
  const subscriptions = state.subscriptions.map((one) => received(one, [...messages], one.filter === state.open));
  become({ subscriptions, held: 0 });
}

function onMessage({ data }: MessageEvent<string>): void {
  const message = messageOf(data, ++key, Date.now());
  if (message) {
    arrived.push(message);
    showing ??= setTimeout(show, SHOW_EVERY_MS);
  }
}

const streamPath = (filters: Subscription[]) => {
  const url = new URL(address("/console/events"));
  filters.forEach(({ filter, qos }) => {
    url.searchParams.append("filter", filter);
    url.searchParams.append("qos", String(qos));
  });
  return url.href;
};

function close(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
}

/** Opens the stream for the subscriptions there are. */
function connect(): void {
  close();
  if (state.subscriptions.length === 0) {
    become({ stream: "none" });
    return;
  }
  const mine = new EventSource(streamPath(state.subscriptions));
  source = mine;
  if (state.stream !== "lost") {
    become({ stream: "opening" });
  }
  mine.onopen = () => {
    told(true);
    become({ stream: "open" });
  };
  mine.onmessage = onMessage;
  mine.addEventListener("dropped", ({ data }: MessageEvent<string>) => {
    become({ missed: state.missed + (Number(data) || 0) });
  });
  mine.onerror = () => {
    // The browser gives up on some errors and tries for ever on others; one rule here instead.
    mine.close();
    become({ stream: "lost" });
    again = setTimeout(connect, OPEN_AGAIN_MS);
  };
}

/** Refused by the server in its words, or subscribed. The answer ends once it has begun. */
async function probe(wanted: Subscription): Promise<void> {
  const stop = new AbortController();
  try {
    const response = await fetch(streamPath([wanted]), { signal: stop.signal, headers: { accept: "text/event-stream" } });
    if (!response.ok) {
      throw await refusal(response);
    }
  } finally {
    stop.abort();
  }
}

export async function subscribe(filter: string, qos: 0 | 1, capture: number): Promise<void> {
  const known = state.subscriptions.find((one) => one.filter === filter);
  const wanted: Subscription = known
    ? { ...known, qos, capture }
    : { filter, qos, capture, messages: [], unread: 0, dropped: 0 };
  await probe(wanted);
  const others = state.subscriptions.filter((one) => one.filter !== filter);
  become({ subscriptions: [...others, wanted], open: filter });
  connect();
}

export function unsubscribe(filter: string): void {
  const subscriptions = state.subscriptions.filter((one) => one.filter !== filter);
  become({ subscriptions, open: state.open === filter ? undefined : state.open });
  connect();
}

export function openSubscription(filter: string | undefined): void {
  const subscriptions = state.subscriptions.map((one) => (one.filter === filter ? { ...one, unread: 0 } : one));
  become({ subscriptions, open: filter });
}

export function clearMessages(filter: string): void {
  become({
    subscriptions: state.subscriptions.map((one) =>
      one.filter === filter ? { ...one, messages: [], dropped: 0, unread: 0 } : one,
    ),
  });
}

export function pause(paused: boolean): void {
  become({ paused });
  if (!paused) {
    show();
  }
}
