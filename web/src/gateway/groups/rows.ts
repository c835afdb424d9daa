// Groups of the configuration together with what collection counts of them. Pure.
import type { Group } from "../devices/calls";

/** Of `groups` in the status. */
export interface GroupState {
  name: string;
  variables: number;
  alarms: number;
  due: number;
  late: number;
  samples_waiting: number;
  samples_set_aside: number;
}

export interface GroupRow extends Group {
  state?: GroupState;
}

/** Always there: Device Supervisor's two. */
export const isFixed = (name: string | undefined) => name === "default" || name === "warning";

export function rowsOf(groups: readonly Group[], states: readonly GroupState[] | undefined): GroupRow[] {
  const byName = new Map((states ?? []).map((state) => [state.name, state]));
  return groups.map((group) => ({ ...group, state: byName.get(group.group_name) }));
}

/** Cycles left out, as a part of all: "3 of 1,200 (0.25 %)". */
export function lateText({ due, late }: GroupState): string {
  if (late === 0) {
    return "0";
  }
  const part = due > 0 ? (100 * late) / due : 0;
  const shown = part >= 10 ? part.toFixed(0) : part >= 0.1 ? part.toFixed(1) : "< 0.1";
  return `${late.toLocaleString("en")} of ${due.toLocaleString("en")} (${shown} %)`;
}

/** Without what only the table shows. */
export const groupOf = ({ group_name, group_type, polling_interval, upload_interval, every_sample }: GroupRow): Group => ({
  group_name,
  group_type,
  polling_interval,
  upload_interval,
  every_sample,
});

/** What belongs to these groups, together. */
export function membersOf(rows: readonly GroupRow[], names: readonly string[]): { variables: number; alarms: number } {
  const states = rows.filter(({ group_name }) => names.includes(group_name)).map(({ state }) => state);
  return {
    variables: states.reduce((sum, state) => sum + (state?.variables ?? 0), 0),
    alarms: states.reduce((sum, state) => sum + (state?.alarms ?? 0), 0),
  };
}
