import { expect, test } from "vitest";
import { files, fromArn } from "./names";
import { messageOf, shown } from "./payload";
import { documentOf, statementsOf } from "./policy-form";
import { limitsOf } from "./settings-data";
import { editable, updateOf } from "./shadow-text";

test("the manual's form and a policy document are the same", () => {
  const text = documentOf([{ effect: "Allow", action: "iot:*", resource: "*" }]);
  expect(JSON.parse(text)).toEqual({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
  });
  expect(statementsOf(text)).toEqual([{ effect: "Allow", action: "iot:*", resource: "*" }]);
  const several = documentOf([{ effect: "Deny", action: "iot:Publish, iot:Receive", resource: "a" }]);
  expect(JSON.parse(several).Statement[0].Action).toEqual(["iot:Publish", "iot:Receive"]);
});

test("a document that says more than the form is not put into it", () => {
  expect(statementsOf('{"Statement": [{"Effect": "Allow", "Action": "a", "Resource": "*", "Condition": {}}]}')).toBeUndefined();
  expect(statementsOf("{")).toBeUndefined();
});

test("what was taken out of a shadow is removed by the update", () => {
  const document = { state: { desired: { a: 1, b: { c: 2, d: 3 } }, reported: { x: 1 }, delta: { a: 1 } }, version: 7 };
  expect(JSON.parse(editable(document))).toEqual({ state: { desired: { a: 1, b: { c: 2, d: 3 } }, reported: { x: 1 } } });
  const edited = '{"state": {"desired": {"b": {"d": 4, "e": 5}}}}';
  expect(JSON.parse(updateOf(document, edited))).toEqual({
    version: 7,
    state: { desired: { a: null, b: { c: null, d: 4, e: 5 } }, reported: null },
  });
  expect(JSON.parse(updateOf(undefined, edited))).toEqual(JSON.parse(edited));
});

test("a message is shown as JSON, as it came, or as bytes", () => {
  const message = messageOf('{"topic": "a/b", "payload": "{\\"a\\":1}", "qos": 1, "retain": true, "time_ms": 5}', 1, 9);
  expect(message).toMatchObject({ topic: "a/b", qos: 1, retain: true, at: 5 });
  expect(message && shown(message, "json")).toBe('{\n  "a": 1\n}');
  expect(message && shown(message, "string")).toBe('{"a":1}');
  expect(message && shown(message, "hex")).toBe("7b 22 61 22 3a 31 7d");
  const bytes = messageOf('{"topic": "a", "payloadBase64": "/wA="}', 2, 9);
  expect(bytes && shown(bytes, "json")).toBe("ff 00");
  expect(messageOf("{}", 3, 9)).toBeUndefined();
});

test("files have AWS's names", () => {
  expect(files("0123456789abcdef").privateKey).toBe("0123456789-private.pem.key");
  expect(fromArn("arn:aws:iot:eu-central-1:000000000000:cert/0123")).toBe("0123");
});

test("limits are read from a list and from an object", () => {
  const row = { value: 8, default: 8, unit: "", help: "filters" };
  const shownRow = { name: "filters", value: "8", usual: "8", unit: "", range: "", help: "filters" };
  expect(limitsOf([{ name: "filters", ...row }])).toEqual([shownRow]);
  expect(limitsOf({ filters: row })).toEqual([shownRow]);
  expect(limitsOf({ filters: 8 })).toEqual([{ ...shownRow, usual: "", help: "" }]);
  expect(limitsOf(undefined)).toEqual([]);
});

test("limits and reactions are shown with what the server says about them", () => {
  const about = {
    filters: { default: 8, unit: "filters", min: 1, max: 65535, help: "in one SUBSCRIBE" },
    qos2: { default: "silence", values: ["silence", "close"], help: "QoS 2" },
  };
  expect(limitsOf({ limits: { filters: 2, other: 3 }, reactions: { qos2: "close" }, about })).toEqual([
    { name: "filters", value: "2", usual: "8", unit: "filters", range: "1 – 65535", help: "in one SUBSCRIBE" },
    { name: "other", value: "3", usual: "", unit: "", range: "", help: "" },
    { name: "qos2", value: "close", usual: "silence", unit: "", range: "silence, close", help: "QoS 2" },
  ]);
});
