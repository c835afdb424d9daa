import { expect, it } from "vitest";
import { isFixed, lateText, membersOf, rowsOf } from "./rows";

const state = (due: number, late: number) => ({ name: "default", variables: 1, alarms: 0, due, late, samples_waiting: 0, samples_set_aside: 0 });

it("brings groups and their counts together", () => {
  const group = { group_name: "default", group_type: "collect", polling_interval: 10, upload_interval: 10, every_sample: false } as const;
  expect(rowsOf([group, { ...group, group_name: "new" }], [state(5, 0)]).map((row) => row.state?.due)).toEqual([5, undefined]);
  expect(rowsOf([group], undefined)[0]?.state).toBeUndefined();
});

it("says how many cycles are late", () => {
  expect(lateText(state(0, 0))).toBe("0");
  expect(lateText(state(1200, 3))).toBe("3 of 1,200 (0.3 %)");
  expect(lateText(state(100_000, 3))).toBe("3 of 100,000 (< 0.1 %)");
  expect(lateText(state(100, 50))).toBe("50 of 100 (50 %)");
});

it("knows the two that always exist", () => {
  expect(["default", "warning", "fast", undefined].map(isFixed)).toEqual([true, true, false, false]);
});

it("counts what belongs to several", () => {
  const row = (group_name: string) => ({ group_name, group_type: "collect" as const, polling_interval: 1, upload_interval: 1, every_sample: false, state: { ...state(1, 0), variables: 3, alarms: 1 } });
  expect(membersOf([row("a"), row("b"), row("c")], ["a", "c", "none"])).toEqual({ variables: 6, alarms: 2 });
});
