// Revisions as the gateway tells them. Pure but for the calls.
import { get, path } from "../api";
import type { Probation } from "../status";

export interface Revision {
  number: number;
  time: number;
  kind: string;
  of: number;
  who: string;
  why: string;
  summary: string;
  bytes: number;
}

export interface OptionChange {
  key: string;
  /** Both missing: a secret. */
  before?: string;
  after?: string;
}

export interface Change {
  what: "added" | "removed" | "changed";
  kind: string;
  text: string;
  name?: string;
  of?: string;
  name_then?: string;
  options?: OptionChange[];
  script?: { path: string; added: number; removed: number };
}

export interface Difference {
  summary: string;
  changes: Change[];
  left_out: number;
}

export interface Revisions {
  revisions: Revision[];
  running: number;
  problem: string;
  progress: { busy: boolean; probation: Probation | null };
}

export const loadRevisions = () => get<Revisions>("revisions");

export const loadRevision = (number: number) =>
  get<Revision & { difference: Difference | null }>(path`/revisions/${String(number)}`);
