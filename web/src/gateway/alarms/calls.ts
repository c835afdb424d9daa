// Alarms as the API has them, and the calls of these pages.
import { get, send } from "../api";
import type { Strategy } from "./condition";

export interface AlarmRow {
  name: string;
  group: string;
  device: string;
  var_name: string;
  status: string;
  description: string;
  text: string;
  unit: string;
  level: number;
  time: number;
  acknowledged?: number;
  acknowledged_by?: string;
}

export interface Shelved {
  name: string;
  until: number;
  by: string;
}

export interface Alarms {
  alarms: AlarmRow[];
  shelved: Shelved[];
  unread: { name: string; device: string; quality: string }[];
  defined: number;
}

export interface Entry {
  id: number;
  name: string;
  group: string;
  status: string;
  value: string;
  unit: string;
  description: string;
  level: number;
  who: string;
  time: number;
}

export interface History {
  entries: Entry[];
  store_failing: boolean;
}

export interface HistoryQuery {
  name: string;
  from: number;
  until: number | undefined;
}

export const listAlarms = () => get<Alarms>("/alarms");

export const acknowledge = (name: string) => send("POST", "/alarms/acknowledge", { name });

export const shelve = (name: string, seconds: number) => send("POST", "/alarms/shelve", { name, seconds });

export const unshelve = (name: string) => send("POST", "/alarms/unshelve", { name });

export const listHistory = ({ name, from, until }: HistoryQuery, beforeId?: number) =>
  get<History>("/alarms/history", { name, from, until, before_id: beforeId });

const PAGE = 1000;

/** All pages of a list of the configuration, which is thousands at most. */
async function all<Item>(path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (;;) {
    const page = await get<{ total: number; items: Item[] }>(path, { offset: items.length, limit: PAGE });
    items.push(...page.items);
    if (page.items.length < PAGE || items.length >= page.total) {
      return items;
    }
  }
}

export const listStrategies = () => all<Strategy>("/strategies");

export interface Group {
  group_name: string;
  group_type: "collect" | "alarm";
  polling_interval: number;
}

export const listAlarmGroups = async () => (await all<Group>("/groups")).filter(({ group_type }) => group_type === "alarm");

export interface Device {
  device_name: string;
  protocol: string;
}

export const listDevices = () => all<Device>("/devices");

export interface Variable {
  device: string;
  name: string;
  type: string;
  address: string;
  unit: string;
  text: string;
}

const SUGGESTIONS = 50;

export const findVariables = async (device: string, search: string) =>
  (await get<{ items: Variable[] }>("/variables", { device, search, limit: SUGGESTIONS })).items;
