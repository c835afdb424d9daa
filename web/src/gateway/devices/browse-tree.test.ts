import { describe, expect, it } from "vitest";
import { freeName, linesOf, type Loaded, matching, nameOf, pickable, variableOf, withPage, wrongNames } from "./browse-tree";
import type { BrowseNode } from "./calls";

const node = (name: string, more: Partial<BrowseNode> = {}): BrowseNode => ({
  name,
  node: name,
  type: "",
  address: "",
  data_type: "",
  inside: false,
  readable: false,
  writable: false,
  ...more,
});
const tag = (name: string) => node(name, { address: `a/${name}`, data_type: "DINT", type: "DINT", readable: true });
const page = (nodes: BrowseNode[], next = "") => ({ key: "symbol", nodes, next });

describe("the tree", () => {
  const plant = node("Plant", { inside: true });
  const top: Loaded = withPage(new Map(), "", page([plant, tag("Level")], "more"), false);
  const all = withPage(withPage(top, "", page([tag("Speed")]), true), "Plant", page([tag("Pump"), plant]), false);

  it("grows page by page and is asked anew from the beginning", () => {
    expect(linesOf(all, new Set()).map((line) => line.node.name)).toEqual(["Plant", "Level", "Speed"]);
    expect(all.get("")?.next).toBe("");
    expect(withPage(all, "", page([tag("Other")]), false).get("")?.nodes).toHaveLength(1);
  });
  it("shows what is open, and does not run in circles", () => {
    const [first] = linesOf(all, new Set());
    const lines = linesOf(all, new Set([first?.key ?? ""]));
    expect(lines.map(({ node: { name }, depth }) => [name, depth])).toEqual([["Plant", 0], ["Pump", 1], ["Plant", 1], ["Level", 0], ["Speed", 0]]);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
  });
  it("is searched with the folders of what is found", () => {
    const [first] = linesOf(all, new Set());
    const lines = linesOf(all, new Set([first?.key ?? ""]));
    expect(matching(lines, "pump").map((line) => line.node.name)).toEqual(["Plant", "Pump"]);
    expect(matching(lines, "A/LEV").map((line) => line.node.name)).toEqual(["Level"]);
    expect(matching(lines, " ")).toHaveLength(5);
  });
});

describe("what is picked", () => {
  it("has a single value", () => {
    expect(pickable(tag("a"))).toBe(true);
    expect(pickable(node("folder"))).toBe(false);
    expect(pickable(node("array", { address: "a" }))).toBe(false);
  });
  it("gets names that are free", () => {
    expect(freeName("Level", new Set())).toBe("Level");
    expect(nameOf(tag("Level"))).toBe("Level");
    expect(nameOf({ ...tag("[3]"), address: "Numbers[3]" })).toBe("Numbers[3]");
    expect(freeName("Level", new Set(["Level", "Level_2"]))).toBe("Level_3");
    const picked = [{ node: tag("a"), name: "x" }, { node: tag("b"), name: "x" }, { node: tag("c"), name: " " }, { node: tag("d"), name: "d" }];
    expect([...wrongNames(picked, new Set(["y"]))]).toEqual(["a/a", "a/b", "a/c"]);
    expect([...wrongNames(picked.slice(3), new Set(["d"]))]).toEqual(["a/d"]);
  });
  it("becomes a variable of the device's own type", () => {
    const how = { device: "PLC", group: "g", key: "symbol", writable: true };
    const setpoint = { ...tag("Setpoint"), writable: true };
    expect(variableOf({ node: setpoint, name: " Set " }, how)).toEqual({
      var_name: "Set",
      device: "PLC",
      group: "g",
      data_type: "AUTO",
      read_write: "read/write",
      symbol: "a/Setpoint",
    });
    expect(variableOf({ node: setpoint, name: "s" }, { ...how, writable: false })["read_write"]).toBe("read");
    expect(variableOf({ node: tag("x"), name: "x" }, how)["read_write"]).toBe("read");
    expect(variableOf({ node: { ...setpoint, readable: false }, name: "x" }, { ...how, writable: false })["read_write"]).toBe("write");
  });
});
