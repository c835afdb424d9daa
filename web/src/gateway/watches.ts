// Which variables the page watches: what all its parts want together, as the list whose positions
// the gateway's value events name. A list only grows at its end, so that a position never changes
// its meaning while events are on their way; it is made anew when too much of it is not wanted.
// Pure.

export type Watched = readonly [device: string, name: string];

export const WATCH_MOST = 2000;
/** Positions nobody wants any more that are put up with before the list is made anew. */
const IDLE_MOST = 500;

export const keyOf = ([device, name]: Watched) => `${device}\u0000${name}`;

export interface WatchList {
  list: Watched[];
  position: Map<string, number>;
}

export const emptyList = (): WatchList => ({ list: [], position: new Map() });

function listOf(list: Watched[]): WatchList {
  return { list, position: new Map(list.map((one, i) => [keyOf(one), i])) };
}

/**
 * What becomes of `was` when `wanted` is wanted: the same list, one that is longer, or another.
 * `fresh`: positions have changed, a new watch is needed.
 */
export function wantedList(was: WatchList, wanted: Watched[]): { next: WatchList; fresh: boolean } {
  const distinct = [...new Map(wanted.map((one) => [keyOf(one), one])).values()].slice(0, WATCH_MOST);
  const added = distinct.filter((one) => !was.position.has(keyOf(one)));
  const idle = was.list.length + added.length - distinct.length;
  if (distinct.length === 0 || was.list.length === 0 || idle > IDLE_MOST || was.list.length + added.length > WATCH_MOST) {
    return added.length === 0 && idle === 0 ? { next: was, fresh: false } : { next: listOf(distinct), fresh: true };
  }
  return { next: added.length === 0 ? was : listOf([...was.list, ...added]), fresh: false };
}
