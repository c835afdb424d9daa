import { expect, it } from "vitest";
import { changesOf, nameMistake, withoutParameter, withParameter } from "./changes";

it("sends what was changed, and null for what was emptied", () => {
  expect(changesOf({ a: 1, b: "x", c: "" }, { a: 2, b: "", c: "" }, ["a", "b", "c"])).toEqual({ a: 2, b: null });
  expect(changesOf({ a: 1 }, { a: 1, other: 3 }, ["a"])).toEqual({});
  expect(changesOf({}, { a: false }, ["a"])).toEqual({ a: false });
});

it("keeps the order and the values it does not know", () => {
  const custom = { site: "north", token: null };
  expect(withParameter(custom, undefined, "line", "3")).toEqual({ site: "north", token: null, line: "3" });
  expect(Object.keys(withParameter(custom, "site", "place", "south"))).toEqual(["place", "token"]);
  expect(withoutParameter(custom, "site")).toEqual({ token: null });
});

it("knows names that will not do", () => {
  const custom = { site: "north" };
  expect(nameMistake(custom, undefined, "")).toBe("rule");
  expect(nameMistake(custom, undefined, "a}b")).toBe("rule");
  expect(nameMistake(custom, undefined, "site")).toBe("taken");
  expect(nameMistake(custom, "site", "site")).toBeUndefined();
  expect(nameMistake(custom, undefined, "toString")).toBeUndefined();
});
