import { describe, expect, it } from "vitest";
import { dayAgo, fromInput, toInput } from "./history-time";

describe("the history's times", () => {
  it("go there and back to the minute", () => {
    const at = Math.floor(1_795_685_113 / 60) * 60;
    expect(fromInput(toInput(at))).toBe(at);
    expect(toInput(undefined)).toBe("");
    expect(fromInput("")).toBeUndefined();
    expect(fromInput("yesterday")).toBeUndefined();
  });

  it("begin at a full minute", () => {
    expect(dayAgo(1, 86_400 + 125)).toBe(120);
  });
});
