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
  delivery?: { per_s: number; drained_per_s: number; acknowledge_ms?: number | null; set_aside?: number };
}

export interface DeviceState {
  name: string;
  protocol?: string;
  state: string;
  since?: number;
  last_error?: string;
  variables?: number;
}

/** One endpoint: all that is read over one connection or serial port. */
export interface LineStatus {
  name: string;
  state: string;
  devices: number;
  devices_away: number;
  /** The part of the time that reading takes; above 1 cycles are left out. */
  load: number;
  load_warning: string;
  /** The group that takes most of it. */
  busiest?: { group: string; cycle_ms: number; interval_s: number } | null;
  /** Devices that are not asked in each cycle. */
  breakers?: { device: string; state: "open" | "probing"; next_try_s: number }[];
}

export interface SmallStatus {
  version?: string;
  started?: number;
  revision?: RunningRevision | number | null;
  link?: LinkStatus;
  outbox?: OutboxStatus;
  /** In an event every 10 s; of very many the busiest. */
  channels?: LineStatus[];
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
