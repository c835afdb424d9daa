import { expect, it } from "vitest";
import { canApply, changeText, countsOf, type Plan, type PlanFile, textOf } from "./import-plan";

const file = (part: Partial<PlanFile>): PlanFile => ({
  name: "var.csv", title: "variables", block: "vars", added: 0, changed: 0, unchanged: 0, not_taken: 0, ...part,
});
const plan = (part: Partial<Plan>): Plan => ({ files: [], rows: [], notes: [], findings: [], ...part });

it("adds the files up", () => {
  expect(countsOf([file({ added: 2, not_taken: 1 }), file({ added: 3, changed: 1 })])).toEqual({
    added: 5, changed: 1, unchanged: 0, "not taken": 1,
  });
});

it("is applied when something changes and all is sound", () => {
  expect(canApply(plan({ files: [file({ added: 1 })] }))).toBe(true);
  expect(canApply(plan({ files: [file({ unchanged: 9 })] }))).toBe(false);
  expect(canApply(plan({ files: [file({ added: 1, failure: "line 3: no end of the quotes" })] }))).toBe(false);
  expect(canApply(plan({ files: [file({ added: 1 })], findings: [{ severity: "error", object: "", field: "", text: "x" }] }))).toBe(false);
});

it("reads older spreadsheets' files too", () => {
  expect(textOf(new Uint8Array([0xc2, 0xb0, 0x43]).buffer)).toBe("°C");
  expect(textOf(new Uint8Array([0xb0, 0x43]).buffer)).toBe("°C");
});

it("says what changes", () => {
  expect(changeText({ key: "unit", before: "", after: "bar" })).toBe("unit: (none) → bar");
});
