import { expect, test } from "vitest";
import { appended, chosen, distinct } from "./lines";

const line = (seq: number, more = {}) => ({ run: 0, seq, time: seq, level: "INFO", source: "link.c", text: `line ${seq}`, ...more });

test("lines are kept once and in order, the newest of them", () => {
  const lines = appended(appended([], [line(1), line(2)]), [line(3)]);
  expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(appended(lines, [line(2), line(4)]).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(appended(lines, [line(2)])).toBe(lines);
  expect(appended(lines, [line(4), line(5)], 3).map(({ seq }) => seq)).toEqual([3, 4, 5]);
});

test("a gateway that was started anew counts from one again", () => {
  const first = appended([], [line(7), line(8)]);
  const second = appended(first, [line(1, { time: 20 }), line(2, { time: 21 })]);
  expect(second.map(({ run, seq }) => `${run}:${seq}`)).toEqual(["0:7", "0:8", "1:1", "1:2"]);
  expect(appended(second, [line(1, { time: 20 }), line(3, { time: 22 })]).map(({ run, seq }) => `${run}:${seq}`)).toEqual([
    "0:7",
    "0:8",
    "1:1",
    "1:2",
    "1:3",
  ]);
});

test("what comes before its turn is put in its place", () => {
  const lines = appended([], [line(1), line(5)]);
  expect(appended(lines, [line(2), line(3), line(5), line(6)]).map(({ seq }) => seq)).toEqual([1, 2, 3, 5, 6]);
});

test("level, source, script and text choose together", () => {
  const lines = [line(1, { level: "DEBUG" }), line(2, { script: "readings" }), line(3, { level: "ERROR", text: "Timeout" })];
  const all = { level: "DEBUG", source: "", script: "", text: "" };
  expect(chosen(lines, all)).toHaveLength(3);
  expect(chosen(lines, { ...all, level: "WARNING" }).map(({ seq }) => seq)).toEqual([3]);
  expect(chosen(lines, { ...all, script: "readings" }).map(({ seq }) => seq)).toEqual([2]);
  expect(chosen(lines, { ...all, text: " timeOUT " }).map(({ seq }) => seq)).toEqual([3]);
  expect(distinct(lines, "script")).toEqual(["readings"]);
});
