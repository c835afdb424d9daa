import { describe, expect, it } from "vitest";
import { fresh, messageOf, missing, sameValues } from "./message-values";
import { isNothing, isReturned, milliseconds, sameUntil, sampleTopic, share, size } from "./report";

const publish = { method: "publish", topic: "", qos: 1, bytes: 65_536, limit: 131_072, too_large: false };

describe("a run", () => {
  it("has sizes and times that are read at a glance", () => {
    expect([512, 2048, 131_072, 1_572_864].map(size)).toEqual(["512 B", "2 KiB", "128 KiB", "1.5 MiB"]);
    expect([0.0037136, 0.25, 25.1].map(milliseconds)).toEqual(["3.71 ms", "250 ms", "25.1 s"]);
    expect(share(publish)).toBe(50);
    expect(share({ ...publish, bytes: 1_000_000 })).toBe(100);
    expect(share({ ...publish, limit: undefined })).toBeUndefined();
  });

  it("tells what was returned from what was published", () => {
    expect(isReturned(publish)).toBe(true);
    expect(isReturned({ ...publish, topic: "a/b" })).toBe(false);
    expect(isReturned({ ...publish, method: "mqtt_publish" })).toBe(false);
    const report = { ok: true, error: "", wall_s: 0, cpu_s: 0, peak_kib: 0, publishes: [], writes: [], lines: [], left_out: 0 };
    expect(isNothing(report)).toBe(true);
    expect(isNothing({ ...report, publishes: [publish] })).toBe(false);
  });

  it("of a subscribe script has a topic that its filter matches", () => {
    expect(sampleTopic("cmd/+/#")).toBe("cmd/sample/sample");
  });

  it("is compared to the first character that differs", () => {
    expect(sameUntil("abcd", "abxd")).toBe(2);
    expect(sameUntil("ab", "ab")).toBe(2);
  });
});

describe("a message", () => {
  it("begins with the defaults of Device Supervisor", () => {
    expect(fresh("publish")).toMatchObject({ qos: 1, group_type: "collect" });
    expect(fresh("subscribe")).not.toHaveProperty("groups");
  });

  it("is sent with the fields it has, and a file for its script", () => {
    const values = { ...fresh("publish"), name: "Up 1", topic: "a/b", gap_topic: "", state: "running" };
    expect(messageOf("publish", values, ["scripts/Up_1.py"])).toEqual({
      name: "Up 1",
      topic: "a/b",
      qos: 1,
      group_type: "collect",
      groups: ["default"],
      main_function: "main",
      script: "scripts/Up_1_2.py",
    });
    expect(messageOf("publish", { ...values, script: "scripts/x.py" }, [])).toHaveProperty("script", "scripts/x.py");
  });

  it("says what is missing", () => {
    expect(missing("publish", { ...fresh("publish"), groups: [] })).toEqual(["name", "topic", "groups"]);
    expect(missing("subscribe", { ...fresh("subscribe"), name: "x", topic: "y" })).toEqual([]);
  });

  it("knows whether something changed", () => {
    expect(sameValues({ name: "x", gap_topic: "" }, { name: "x" })).toBe(true);
    expect(sameValues({ groups: ["a"] }, { groups: ["b"] })).toBe(false);
  });
});
