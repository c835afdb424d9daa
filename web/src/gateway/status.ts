// The gateway's state as /status answers it and, in part, each status event. Every part may be
// missing: an event has only what changes, an older gateway has less.

export interface Probation {
  number: number;
  back: number;
  stays_if: "healthy" | "confirmed";
  who: string;
  left_s: number;
}

export interface RunningRevision {
  number?: number;
  time?: number;
  who?: string;
  summary?: string;
  problem?: string;
  probation?: Probation | null;
}

export interface LinkStatus {
  state: string;
  since: number;
  last_error: string;
  last_error_at?: number;
  type?: string;
  endpoint?: string;
  port?: number;
  client_id?: string;
  connects?: number;
  acknowledged?: number;
  received?: number;
}

export interface Ledger {
  name: string;
  accepted: number;
  delivered: number;
  waiting: number;
  dropped: Record<string, number>;
  dead: number;
}

export interface OutboxStatus {
  waiting: number;
  waiting_bytes?: number;
  in_flight?: number;
  disk_bytes?: number;
  store_failing?: boolean;
  low_space?: boolean;
  books_add_up?: boolean;
  delivery?: { per_s: number; drained_per_s: number; acknowledge_ms?: number; set_aside?: number };
}

export interface DeviceState {
  name: string;
  protocol?: string;
  state: string;
  since?: number;
  last_error?: string;
  variables?: number;
}

export interface SmallStatus {
  version?: string;
  started?: number;
  revision?: RunningRevision | number | null;
  link?: LinkStatus;
  outbox?: OutboxStatus;
  messages?: Ledger[];
  workers?: { name: string; kind: string }[];
  /** In an event only when one of them has changed. */
  devices?: DeviceState[];
  devices_up?: number;
  devices_total?: number;
  rates?: Record<string, number>;
  alarms?: { active?: number; unacknowledged?: number };
  certificates?: { path: string; days_left: number }[];
  history?: History;
}

export interface History {
  step_s: number;
  points: Record<string, (number | null)[]>;
}
