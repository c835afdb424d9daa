import { expect, test } from "vitest";
import { defaultsOf, fallbackOf, labelOf, mistakeOf, mistakesOf, rangeOf } from "./option-text";
import type { Option } from "./options";

const port: Option = { key: "port", type: "int", min: 1, max: 65535, fallback: "502", help: "" };
const timeout: Option = { key: "timeout", type: "number", min: 0.05, max: 60, unit: "s", fallback: "1", help: "" };
const name: Option = { key: "device_name", type: "text", required: true, min: 1, max: 4, help: "" };
const order: Option = { key: "byte_order", type: "word", words: ["abcd", "dcba"], fallback: "abcd", help: "" };
const block = { block: "devices", kind: "device", help: "", options: [port, timeout, name, order] };

test("labels, ranges and defaults come from the table", () => {
  expect(labelOf("polling_interval")).toBe("Polling interval");
  expect(rangeOf(timeout)).toBe("0.05 – 60 s");
  expect(rangeOf(name)).toBe("");
  expect(defaultsOf(block)).toEqual({ port: 502, timeout: 1, byte_order: "abcd" });
  expect(fallbackOf({ key: "on", type: "bool", fallback: "false", help: "" })).toBe(false);
});

test("mistakes are found before the gateway is asked", () => {
  expect(mistakeOf(port, 70_000)).toBe("must be within 1 – 65535");
  expect(mistakeOf(port, 1.5)).toBe("must be a whole number");
  expect(mistakeOf(port, undefined)).toBeUndefined();
  expect(mistakeOf(name, "")).toBe("must be filled in");
  expect(mistakeOf(name, "äöü")).toBe("must be at most 4 bytes long");
  expect(mistakeOf(order, "cdab")).toBe("must be one of the list");
  expect(mistakesOf(block, { port: 0 }, ["port"])).toEqual({ port: "must be within 1 – 65535" });
});
