// Messages as the API has them, and the calls of these pages.
import { get, path, Problem, send } from "../api";
import type { Names } from "./completion";
import type { Report } from "./mistakes";
import type { Kind } from "./template";

/** A publish or subscribe entry of penstock.json, defaults filled in. */
export interface Message {
  name: string;
  topic: string;
  qos: number;
  main_function: string;
  script: string;
  group_type?: string;
  groups?: string[];
  [key: string]: unknown;
}

const PAGE = 1000;

async function all<Item>(at: string, query: Record<string, string> = {}, most = 10_000): Promise<Item[]> {
  const items: Item[] = [];
  for (;;) {
    const page = await get<{ total: number; items: Item[] }>(at, { ...query, offset: items.length, limit: PAGE });
    items.push(...page.items);
    if (page.items.length < PAGE || items.length >= Math.min(page.total, most)) {
      return items;
    }
  }
}

export const listMessages = (kind: Kind) => all<Message>(`/${kind}`);

export const getMessage = (kind: Kind, name: string) => get<Message>(kind === "publish" ? path`/publish/${name}` : path`/subscribe/${name}`);

export interface ScriptFile {
  path: string;
  bytes: number;
  used_by: string[];
}

export const listScripts = async () => (await get<{ items: ScriptFile[] }>("/scripts")).items;

/** "" when the file is gone. */
export async function getScript(at: string): Promise<string> {
  try {
    return (await get<{ text: string }>("/scripts/file", { path: at })).text;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) {
      return "";
    }
    throw error;
  }
}

export interface Group {
  group_name: string;
  group_type: "collect" | "alarm";
  polling_interval: number;
  upload_interval: number;
}

export const listGroups = () => all<Group>("/groups");

export interface Worker {
  name: string;
  kind: string;
  state: string;
  calls: number;
  errors: number;
  restarts: number;
  queued: number;
  cpu_s: number;
  rss_kib: number;
  last_error: string;
}

export interface Ledger {
  name: string;
  accepted: number;
  delivered: number;
  waiting: number;
  dropped: Record<string, number>;
  dead: number;
}

export interface Status {
  workers: Worker[];
  messages: Ledger[];
  link: { state: string; type?: string };
}

export const getStatus = () => get<Status>("/status");

export const release = (name: string) => send("POST", "/scripts/release", { name });

export interface RunBody {
  source: string;
  main_function: string;
  message?: string;
  group?: string;
  topic: string;
  payload?: string;
}

const RUN_PATIENCE_MS = 3_700_000;

/** As long as the message's time limit lets it; a signal ends it. */
export const runScript = (body: RunBody, signal: AbortSignal) =>
  send<Report>("POST", "/scripts/run", body, undefined, { signal, patience: RUN_PATIENCE_MS });

export interface Canary {
  state: "idle" | "running" | "finished";
  error: string;
  wanted: number;
  calls: number;
  same: number;
  different: number;
  failed: number;
  cpu_s: number;
  live: string;
  draft: string;
}

export const startCanary = (name: string, source: string, calls: number) => send<Canary>("POST", "/canary", { name, source, calls });

export const getCanary = () => get<Canary>("/canary");

export const stopCanary = () => send<Canary>("DELETE", "/canary");

export interface Letter {
  id: number;
  message: string;
  kind: "message" | "input";
  collected: number;
  died: number;
  bytes: number;
  reason: string;
  input?: unknown;
}

/** `next` is what the following page is asked for with. */
export interface DeadPage {
  letters: Letter[];
  next: string | null;
}

export const listDead = (name: string, after?: string) => get<DeadPage>("/dead", { name, after });

export const getLetter = async (id: number) => (await get<{ letters: Letter[] }>("/dead", { id })).letters[0];

export interface Replay {
  message: string;
  running: boolean;
  total: number;
  done: number;
  failed: number;
  reason: string;
  end: string;
}

export const getReplay = () => get<Replay>("/replay");

export const startReplay = (name: string, keepGoing: boolean) => send<Replay>("POST", "/replay", { name, keep_going: keepGoing });

export const stopReplay = () => send<Replay>("DELETE", "/replay");

export const clearOutbox = (name: string) => send<{ cleared: number }>("POST", "/outbox/clear", { name, confirm: name });

interface Variable {
  device: string;
  name: string;
  type: string;
  unit: string;
  access: string;
}

interface Strategy {
  warn_name: string;
  group: string;
  alarm_content?: string;
}

/** More names than this are not offered; who has more writes them by hand. */
const NAMES_MOST = 5000;

function byDevice(variables: Variable[]): Names["devices"] {
  const devices = new Map<string, Names["devices"][number]>();
  for (const { device, name, type, unit, access } of variables) {
    const one = devices.get(device) ?? { name: device, variables: [] };
    one.variables.push({ name, about: unit === "" ? type : `${type}, ${unit}`, writable: access.includes("write") });
    devices.set(device, one);
  }
  return [...devices.values()];
}

/** The names that a message's script meets: those of its groups; of all variables for a subscribe one. */
export async function loadNames(kind: Kind, groupType: string, groups: readonly string[]): Promise<Names> {
  if (kind === "publish" && groupType === "alarm") {
    const strategies = await all<Strategy>("/strategies");
    return {
      type: "alarm",
      devices: [],
      alarms: strategies
        .filter(({ group }) => groups.includes(group))
        .map(({ warn_name, alarm_content }) => ({ name: warn_name, about: alarm_content ?? "" })),
    };
  }
  const lists =
    kind === "publish"
      ? await Promise.all(groups.map((group) => all<Variable>("/variables", { group }, NAMES_MOST)))
      : [await all<Variable>("/variables", {}, NAMES_MOST)];
  return { type: "collect", devices: byDevice(lists.flat()), alarms: [] };
}
