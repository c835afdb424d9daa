import { describe, expect, it } from "vitest";
import { AWS, blockOf, endpointAdvice, follow, keysOf, MQTT, same } from "./cloud-values";
import { connectionTime, failure, mood } from "./state";

const link = { state: "Connection Successful", since: 1000, last_error: "" };

describe("the state", () => {
  it("has the connection time of the manual", () => {
    expect(connectionTime(link, 1048.9)).toBe("0 Day 00:00:48");
    expect(connectionTime(link, 1000 + 86400 * 3 + 3661)).toBe("3 Day 01:01:01");
    expect(connectionTime({ ...link, state: "Connecting" }, 1048)).toBe("");
    expect(connectionTime(link, 900)).toBe("0 Day 00:00:00");
  });

  it("has a mood", () => {
    expect(mood("Connection Successful")).toBe("success");
    expect(mood("Unknown Error")).toBe("error");
    expect(mood("something new")).toBe("default");
  });

  it("tells step, cause and cure of the last error apart", () => {
    expect(failure("TCP: nothing listens on localhost port 8883; check the port")).toEqual({
      step: "TCP",
      cause: "nothing listens on localhost port 8883",
      cure: "check the port",
    });
    expect(failure("MQTT CONNECT: refused")).toEqual({ step: "MQTT CONNECT", cause: "refused", cure: "" });
    expect(failure("something")).toEqual({ step: "", cause: "something", cure: "" });
  });
});

describe("the form", () => {
  it("has the fields of its type", () => {
    expect(keysOf({ type: AWS }).advanced).toContain("alpn");
    expect(keysOf({ type: MQTT }).first).toContain("mqtt_version");
    expect(keysOf({ type: MQTT }).advanced).not.toContain("alpn");
  });

  it("sends what holds for the type, and nothing empty", () => {
    const values = { enable: true, type: MQTT, endpoint: "h", client_id: "c", cert: "certs/x", username: "", port: 1883 };
    expect(blockOf(values)).toEqual({ enable: true, type: MQTT, endpoint: "h", client_id: "c", port: 1883 });
    expect(blockOf({ ...values, tls: true })).toHaveProperty("cert");
    expect(blockOf({ ...values, type: AWS, username: "u" })).not.toHaveProperty("username");
  });

  it("has the usual port of its type, or the one that was chosen", () => {
    expect(follow({ type: AWS, port: 8883 }, { type: MQTT, port: 8883 }).port).toBe(1883);
    expect(follow({ type: MQTT, port: 1883 }, { type: MQTT, port: 1883, tls: true }).port).toBe(8883);
    expect(follow({ type: AWS, port: 443 }, { type: MQTT, port: 443 }).port).toBe(443);
    expect(follow({ type: AWS, port: 8883 }, { type: AWS, port: 1 }).port).toBe(1);
  });

  it("knows whether something changed", () => {
    expect(same({ a: 1, b: "" }, { a: 1 })).toBe(true);
    expect(same({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(same({ a: 1 }, { a: 2 })).toBe(false);
  });

  it("says what was pasted too much", () => {
    expect(endpointAdvice("https://x-ats.iot.eu-central-1.amazonaws.com", true)).toContain("scheme");
    expect(endpointAdvice("localhost:8883", true)).toContain("port");
    expect(endpointAdvice("a1b2.iot.eu-central-1.amazonaws.com", true)).toContain("-ats");
    expect(endpointAdvice("a1b2-ats.iot.eu-central-1.amazonaws.com", true)).toBe("");
    expect(endpointAdvice("fe80::1", false)).toBe("");
  });
});
