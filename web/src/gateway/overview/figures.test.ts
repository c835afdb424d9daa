import { expect, test } from "vitest";
import { line } from "../sparkline-path";
import { backlogText, grown, linkKind, merged, rateText, sizeText, stepsOf, totalOf } from "./figures";

test("how long a backlog takes is said when it is one", () => {
  expect(backlogText(50, 10)).toBeUndefined();
  expect(backlogText(7200, 2)).toBe("1 h to go");
  expect(backlogText(7200, -2)).toBe("grows by 2.00 a second");
  expect(backlogText(7200, 0)).toBe("does not become shorter");
});

test("figures have as many digits as they need", () => {
  expect([0, 0.25, 12.34, 1234.5].map(rateText)).toEqual(["0", "0.25", "12.3", "1235"]);
  expect([12, 2048, 5 * 1024 * 1024, 200 * 1024 ** 3].map(sizeText)).toEqual(["12 B", "2.0 KiB", "5.0 MiB", "200 GiB"]);
});

test("the link's words are those of the gateway", () => {
  expect(["Connection Successful", "Connecting", "Disconnect", "Not Enabled", undefined].map(linkKind)).toEqual([
    "connected",
    "connecting",
    "disconnected",
    "off",
    "unknown",
  ]);
});

test("a history grows by what is now and stays short", () => {
  const history = { step_s: 5, points: { waiting: [1, 2] } };
  expect(grown(history, { waiting: 3, alarms: 1 }).points).toEqual({ waiting: [1, 2, 3], alarms: [null, null, 1] });
  const full = { step_s: 5, points: { waiting: Array<number>(120).fill(0) } };
  expect(grown(full, { waiting: 9 }).points["waiting"]).toHaveLength(120);
});

test("an event brings only what changes", () => {
  const was = { version: "1", link: { state: "Connection Successful", since: 1, last_error: "", endpoint: "a" } };
  const next = merged(was, { link: { state: "Connecting", since: 2, last_error: "x" } });
  expect(next.version).toBe("1");
  expect(next.link).toEqual({ state: "Connecting", since: 2, last_error: "x", endpoint: "a" });
});

test("first steps tick themselves off", () => {
  expect(Object.values(stepsOf({})).filter(Boolean)).toHaveLength(1);
  const ledger = { name: "m", accepted: 1, delivered: 1, waiting: 0, dropped: { expired: 2 }, dead: 0 };
  const all = { devices: [{ name: "a", state: "up", variables: 1 }], messages: [ledger], link: { state: "Connection Successful", since: 1, last_error: "" } };
  expect(Object.values(stepsOf(all)).every(Boolean)).toBe(true);
  expect(totalOf([ledger, ledger])).toMatchObject({ accepted: 2, dropped: { all: 4 } });
});

test("a curve leaves gaps and ends at the right", () => {
  const { stroke } = line([0, null, 10], { width: 100, height: 40, least: 1, most: 3 });
  expect(stroke).toBe("M0.0 38.0M100.0 2.0");
});
