import { describe, expect, it } from "vitest";
import { lineIn, mistakesOfFindings, mistakesOfReport, type Report, splitLog } from "./mistakes";

const report = (part: Partial<Report>): Report => ({
  ok: false,
  error: "",
  wall_s: 0,
  cpu_s: 0,
  peak_kib: 0,
  publishes: [],
  writes: [],
  lines: [],
  left_out: 0,
  ...part,
});
const error = (line: number, text: string) => ({ level: "ERROR", file: "<string>", line, text });

const RAISED = report({
  error: "ZeroDivisionError: division by zero",
  lines: [
    { level: "INFO", file: "<string>", line: 5, text: "hi" },
    error(3, "trial: ZeroDivisionError: division by zero"),
    error(3, "Traceback (most recent call last):"),
    error(3, '  File "<string>", line 6, in main'),
    error(3, "    f(1)"),
    error(3, '  File "<string>", line 3, in f'),
    error(3, "    return x/0"),
    error(3, "ZeroDivisionError: division by zero"),
  ],
});

describe("a failed run", () => {
  it("is marked where it was raised and where that was called", () => {
    expect(mistakesOfReport(RAISED)).toEqual([
      { line: 3, text: "ZeroDivisionError: division by zero" },
      { line: 6, text: "called from here" },
    ]);
  });

  it("is marked where the module cannot be built", () => {
    const text = "its module cannot be built: '(' was never closed (<string>, line 2)";
    expect(mistakesOfReport(report({ error: text }))).toEqual([
      { line: 2, text: "its module cannot be built: '(' was never closed" },
    ]);
  });

  it("has no line where none is named", () => {
    const text = "its module cannot be built: No main entry method found. main";
    expect(mistakesOfReport(report({ error: text }))).toEqual([{ line: 0, text }]);
    expect(mistakesOfReport(report({ ok: true }))).toEqual([]);
  });

  it("that ran too long is marked where it was", () => {
    expect(lineIn("worker killed: the call did not end within 25 s, at <string> 2")).toBe(2);
  });

  it("shows its traceback apart from what it said", () => {
    const { said, traceback } = splitLog(RAISED.lines);
    expect(said.map(({ text }) => text)).toEqual(["hi"]);
    expect(traceback.split("\n")).toHaveLength(6);
    expect(splitLog([]).traceback).toBe("");
  });
});

describe("a refused revision", () => {
  it("is marked in the script of its message only", () => {
    const of = (object: string, field: string, text: string) => ({ severity: "error", object, field, text });
    const findings = [
      of("publish 'up'", "line 2", "'[' was never closed"),
      of("publish 'other'", "line 7", "invalid syntax"),
      of("publish 'up'", "topic", "must not be empty"),
      of("publish 'up'", "main_function", "there is no function 'mian'"),
    ];
    expect(mistakesOfFindings(findings, "up")).toEqual([
      { line: 2, text: "'[' was never closed" },
      { line: 0, text: "there is no function 'mian'" },
    ]);
  });
});
