// Devices and variables as the API has them, and the calls of this page.
import { path } from "../../shared/api";
import { get, send } from "../api";
import type { Reading } from "./byte-order";

/** Keys of penstock.json with their defaults filled in. */
export interface Device {
  device_name: string;
  protocol: string;
  ip: string;
  port: number;
  serial: string;
  slave: number;
  byte_order: string;
  url?: string;
  timeout: number;
  comm_alarm: boolean;
  /** What collection says: it answers, is away, was not asked. */
  state?: string;
  last_error?: string;
  /** It can tell what it has. */
  browse?: boolean;
}

export interface List<Item> {
  total: number;
  offset: number;
  items: Item[];
}

export interface Row {
  device: string;
  name: string;
  group: string;
  type: string;
  address: string;
  access: "read" | "write" | "read/write";
  mode: string;
  value: unknown;
  text: string;
  unit: string;
  quality: string;
  time: number | null;
  desc: string;
}

export type Sort = "name" | "group" | "type" | "address" | "value" | "time" | "quality";

export interface RowQuery {
  device: string;
  search: string;
  quality: string;
  /** With `-` in front: the other way round. */
  sort: string;
}

export interface Written {
  result: string;
  read_back: unknown;
  text: string;
}

/** What came of asking the device just now. */
export interface Look {
  outcome: "answered" | "refused" | "no answer" | "no connection" | "not asked";
  error: string;
  text: string;
  /** Hexadecimal, as the bytes below. */
  sent: string;
  received: string;
  bytes: string;
  type: string;
  code: number;
  meaning: string;
}

/** A place that the device has refused before. */
export interface Hole {
  first: string;
  last: string;
  here: boolean;
  code: number;
  refusals: number;
  since: number | null;
  next_try: number | null;
}

export interface Explained {
  variable: { type: string; address: string; value: unknown };
  device: { byte_order?: string; protocol: string };
  channel: { name?: string; state?: string; note?: string; requests?: number; errors?: number; round_trip_ms?: number | null };
  request: { text: string };
  look: Look | null;
  readings: Reading[] | null;
  learned: { holes: Hole[]; elsewhere: number; most_items: number } | null;
  state: string;
  last_error: string;
  next_try: number | null;
  what_to_do: string;
}

/** One thing inside a device. */
export interface BrowseNode {
  name: string;
  /** What is asked for to look inside. */
  node: string;
  type: string;
  /** What a variable takes; "": it is none. */
  address: string;
  /** The type of a variable that fits; "": none does. */
  data_type: string;
  inside: boolean;
  readable: boolean;
  writable: boolean;
}

export interface Browsed {
  /** The key of a variable that takes the addresses. */
  key: string;
  nodes: BrowseNode[];
  next: string;
}

export const listDevices = (search: string, offset: number, limit: number) =>
  get<List<Device>>("/devices", { search, offset, limit });

export const getDevice = (name: string) => get<Device>(path`/devices/${name}`);

export const listRows = (query: RowQuery, offset: number, limit: number) =>
  get<List<Row>>("/variables", { ...query, offset, limit });

/** How many variables a device has. */
export const countRows = async (device: string) => (await get<List<Row>>("/variables", { device, limit: 1 })).total;

export const getVariable = (device: string, name: string) =>
  get<Record<string, unknown>>(path`/devices/${device}/variables/${name}`);

export const writeValue = (device: string, name: string, value: string) =>
  send<Written>("PUT", path`/devices/${device}/variables/${name}/value`, { value });

/** What stands behind the value on the wire, read now, in hexadecimal. */
export const readBytes = async (device: string, name: string) =>
  (await get<{ bytes: string }>(path`/devices/${device}/variables/${name}/bytes`)).bytes;

/** `look`: the device is asked just now, which takes as long as it takes to answer. */
export const explain = (device: string, name: string, look: boolean) => get<Explained>("/explain", { device, name, look });

/** Bytes in all byte orders and as all types. */
export const readBytesAs = async (bytes: string) => (await get<{ readings: Reading[] }>("/readings", { bytes })).readings;

export const browse = (device: string, node: string, after: string) =>
  get<Browsed>(path`/devices/${device}/browse`, { node, after });

export const trend = (device: string, name: string, seconds: number) =>
  get<{ points: [number, unknown][] }>("/trend", { device, name, seconds });

export interface Group {
  group_name: string;
  group_type: "collect" | "alarm";
  polling_interval: number;
  upload_interval: number;
  every_sample: boolean;
}

/** All groups; there are few. */
export const listGroups = () => get<List<Group>>("/groups", { limit: 1000 });

export interface SerialPort {
  name: string;
  path: string;
  mode: string;
  baud_rate: number;
  data_bits: number;
  parity: string;
  stop_bits: number;
  pause_ms: number;
}

export const listPorts = () => get<List<SerialPort>>("/serial", { limit: 1000 });

/** Names of the rows that a query lists, up to `most`. */
export async function allNames(query: RowQuery, most: number): Promise<string[]> {
  const names: string[] = [];
  const step = 1000;
  for (;;) {
    const { items, total } = await listRows(query, names.length, step);
    names.push(...items.map(({ name }) => name));
    if (items.length < step || names.length >= Math.min(total, most)) {
      return names.slice(0, most);
    }
  }
}
