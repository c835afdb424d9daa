import { describe, expect, it } from "vitest";
import { isTemplate, scriptPath, template } from "./template";
import { parametersIn, topicAdvice } from "./topic";

describe("a new message", () => {
  it("has a script for what it carries", () => {
    expect(template("publish", "collect", "upload")).toContain("def upload(data_collect, wizard_api):");
    expect(template("publish", "alarm")).toContain("alarm_content");
    expect(template("subscribe", "")).toContain("def main(topic, payload, wizard_api):");
  });

  it("is known as untouched", () => {
    expect(isTemplate(template("publish", "alarm"))).toBe(true);
    expect(isTemplate(`${template("publish", "alarm")} `)).toBe(false);
  });

  it("has a file of its own", () => {
    expect(scriptPath("data_upload", [])).toBe("scripts/data_upload.py");
    expect(scriptPath("Tank level!", ["scripts/tank_level.py"])).toBe("scripts/Tank_level_2.py");
    expect(scriptPath("../../etc", [])).toBe("scripts/etc.py");
    expect(scriptPath("液位", [])).toBe("scripts/script.py");
  });
});

describe("a topic", () => {
  const texts = (topic: string, kind: "publish" | "subscribe" = "publish", aws = true) =>
    topicAdvice(topic, kind, aws).map(({ text }) => text);

  it("that is well says nothing", () => {
    expect(texts("awsiot/test")).toEqual([]);
    expect(texts("$aws/things/x/shadow/update")).toEqual([]);
    expect(texts("${line}/up")).toEqual([]);
    expect(texts("a/+/#", "subscribe")).toEqual([]);
  });

  it("that is reserved is told", () => {
    expect(texts("$mine/x")[0]).toContain("reserved");
  });

  it("with wildcards is for subscribing, and in their place", () => {
    expect(texts("a/+")).toHaveLength(1);
    expect(texts("a/#/b", "subscribe")).toEqual(["# is the last part."]);
    expect(texts("a/b+", "subscribe")).toHaveLength(1);
  });

  it("has AWS's limits on AWS only", () => {
    expect(texts("ä".repeat(129))[0]).toContain("258");
    expect(texts("a/b/c/d/e/f/g/h/i")).toHaveLength(1);
    expect(texts("a/b/c/d/e/f/g/h/i", "publish", false)).toEqual([]);
  });

  it("names its parameters", () => {
    expect(parametersIn("a/${line}/${x}")).toEqual(["line", "x"]);
  });
});
