import { expect, test } from "vitest";
import type { LineStatus } from "../status";
import { barText, busiestText, percentText, sorted, summaryOf, toneOf } from "./lines";

const line = (more: Partial<LineStatus>): LineStatus => ({
  name: "10.0.0.1:502", state: "connected", devices: 3, devices_away: 0, load: 0.1, load_warning: "", ...more,
});

test("the busiest stand first, then by name as people count", () => {
  const names = sorted([line({ name: "h:10" }), line({ name: "h:9" }), line({ name: "h:11", load: 0.5 })]).map(({ name }) => name);
  expect(names).toEqual(["h:11", "h:9", "h:10"]);
});

test("colours say whether a person has to look", () => {
  expect(toneOf(line({}))).toBe("good");
  expect(toneOf(line({ load: 0.81 }))).toBe("warn");
  expect(toneOf(line({ devices_away: 1 }))).toBe("warn");
  expect(toneOf(line({ load: 1.01 }))).toBe("bad");
  expect(toneOf(line({ devices_away: 3 }))).toBe("bad");
  expect(toneOf(line({ state: "connecting" }))).toBe("calm");
});

test("the group that takes most is named with its cycle and interval", () => {
  expect(busiestText(line({ busiest: { group: "quick", cycle_ms: 151.4, interval_s: 0.1 } }))).toBe("mostly for group quick: 151 ms each 0.1 s");
  expect(busiestText(line({ busiest: { group: "slow", cycle_ms: 1500, interval_s: 5 } }))).toBe("mostly for group slow: 1.50 s each 5 s");
  expect(busiestText(line({ busiest: null }))).toBe("");
  expect([0, 0.004, 0.126, 1.5].map(percentText)).toEqual(["0 %", "0.4 %", "13 %", "150 %"]);
  expect(barText(line({ load: 0.126 }))).toBe("10.0.0.1:502 is read 13 % of the time");
});

test("what all lines have together", () => {
  expect(summaryOf([line({ load: 0.9 }), line({ load: 2, devices_away: 2 }), line({ devices_away: 1 })])).toEqual({ busy: 2, alone: 3 });
});
