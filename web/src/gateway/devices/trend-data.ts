// Points of several variables, each read at its own moments, as the columns a chart takes. Pure.

/** Seconds since 1970, value; null where there was none. */
export type Point = readonly [time: number, value: number | null];

/** Points of one variable that are shown at most: more than a screen has pixels is of no use. */
export const POINTS_MOST = 4000;

/** What a chart can draw: numbers, and true and false as 1 and 0. */
export function drawable(value: unknown): number | null {
  if (typeof value === "boolean") {
    return value ? 1 : 0;
  }
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** `points` with newer ones behind, without those older than `since`; none is there twice. */
export function appended(points: readonly Point[], newer: readonly Point[], since: number): Point[] {
  const last = points.length > 0 ? (points[points.length - 1]?.[0] ?? 0) : -Infinity;
  const all = [...points, ...newer.filter(([time]) => time > last)];
  const begin = all.findIndex(([time]) => time >= since);
  return begin < 0 ? [] : all.slice(Math.max(begin, all.length - POINTS_MOST));
}

/**
 * One column of times and one of values for each variable. `undefined` where another variable was
 * read and this one was not: the line goes on there; null is a gap.
 */
export function columns(series: readonly (readonly Point[])[]): [number[], ...(number | null | undefined)[][]] {
  const times = [...new Set(series.flatMap((points) => points.map(([time]) => time)))].sort((a, b) => a - b);
  const place = new Map(times.map((time, i) => [time, i]));
  const values = series.map((points) => {
    const column: (number | null | undefined)[] = new Array<undefined>(times.length).fill(undefined);
    for (const [time, value] of points) {
      column[place.get(time) ?? 0] = value;
    }
    return column;
  });
  return [times, ...values];
}

export interface Extent {
  least: number;
  most: number;
  last: number;
}

/** Least, greatest and newest value; undefined without any. */
export function extent(points: readonly Point[]): Extent | undefined {
  let found: Extent | undefined;
  for (const [, value] of points) {
    if (value !== null) {
      found = found
        ? { least: Math.min(found.least, value), most: Math.max(found.most, value), last: value }
        : { least: value, most: value, last: value };
    }
  }
  return found;
}

/** A trend that has just begun is not shown as a dot at the right edge. */
const NARROWEST_S = 20;

/** Where the chart begins: `span` before its right edge, or with the first point there is. */
export function leftEdge(series: readonly (readonly Point[])[], edge: number, span: number): number {
  const first = Math.min(...series.map((points) => points[0]?.[0] ?? Infinity), edge - NARROWEST_S);
  return Math.max(edge - span, first);
}
