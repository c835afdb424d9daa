import { expect, it } from "vitest";
import { appended, columns, drawable, extent, leftEdge, POINTS_MOST, type Point } from "./trend-data";

it("draws numbers and bits, nothing else", () => {
  expect([1.5, true, false, "x", null, undefined, NaN].map(drawable)).toEqual([1.5, 1, 0, null, null, null, null]);
});

it("appends what is newer and lets go of what is old", () => {
  expect(appended([[1, 1], [2, 2]], [[2, 9], [3, 3]], 2)).toEqual([[2, 2], [3, 3]]);
  expect(appended([[1, 1]], [], 5)).toEqual([]);
  const many: Point[] = Array.from({ length: POINTS_MOST + 10 }, (_, i) => [i, i]);
  expect(appended(many, [[POINTS_MOST + 10, 1]], 0)).toHaveLength(POINTS_MOST);
});

it("puts several variables on one axis of time", () => {
  expect(columns([[[1, 10], [3, null]], [[2, 5], [3, 6]]])).toEqual([[1, 2, 3], [10, undefined, null], [undefined, 5, 6]]);
  expect(columns([])).toEqual([[]]);
});

it("knows least, most and last", () => {
  expect(extent([[1, 4], [2, null], [3, -1]])).toEqual({ least: -1, most: 4, last: -1 });
  expect(extent([[1, null]])).toBeUndefined();
});

it("begins with the first point, and is never too narrow", () => {
  expect(leftEdge([[[900, 1]], [[950, 1]]], 1000, 300)).toBe(900);
  expect(leftEdge([[[100, 1]]], 1000, 300)).toBe(700);
  expect(leftEdge([[[999, 1]], []], 1000, 300)).toBe(980);
  expect(leftEdge([], 1000, 300)).toBe(980);
});
