import { describe, expect, it } from "vitest";
import { nextName, nextVariable, offsetOf, onlyAsked, shownAddress, tableOf, typesFor } from "./modbus";

const TYPES = ["BOOL", "BIT", "BYTE", "SINT", "WORD", "FLOAT", "STRING"];

describe("addresses", () => {
  it("belong to the table of their range", () => {
    expect([1, 10000, 10001, 30001, 40001, 110001, 365535, 465535].map((at) => tableOf(at)?.key)).toEqual([
      "coils", "coils", "discrete", "input", "holding", "discrete", "input", "holding",
    ]);
    expect([0, 20001, 50001, 99999, 465536].map((at) => tableOf(at))).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(offsetOf(40001)).toBe(0);
    expect(offsetOf(410001)).toBe(10000);
  });
  it("are shown with five digits and the bit of a register", () => {
    expect(shownAddress(1, undefined, "BOOL")).toBe("00001");
    expect(shownAddress(40003, 1, "BIT")).toBe("40003.1");
    expect(shownAddress(40003, 0, "WORD")).toBe("40003");
    expect(shownAddress(10003, 0, "BIT")).toBe("10003");
  });
  it("say which types fit", () => {
    expect(typesFor(1, TYPES)).toEqual(["BOOL", "BIT"]);
    expect(typesFor(40001, TYPES)).toEqual(["BOOL", "BIT", "WORD", "FLOAT", "STRING"]);
    expect(typesFor(undefined, TYPES)).toHaveLength(5);
  });
});

describe("forms", () => {
  it("send what they ask, and nothing else", () => {
    expect(onlyAsked({ a: 1, b: "", c: null, d: 0, e: false, f: 2 }, ["a", "b", "c", "d", "e"])).toEqual({ a: 1, d: 0, e: false });
  });
});

describe("the next variable", () => {
  it("has the next name", () => {
    expect(nextName("t_009")).toBe("t_010");
    expect(nextName("Pump 9")).toBe("Pump 10");
    expect(nextName("level")).toBe("level_2");
  });
  it("stands behind the one before", () => {
    expect(nextVariable({ var_name: "f1", data_type: "FLOAT", register_addr: 40001 })).toMatchObject({ var_name: "f2", register_addr: 40003 });
    expect(nextVariable({ var_name: "s1", data_type: "STRING", register_addr: 40001, size: 5 })).toMatchObject({ register_addr: 40004 });
    expect(nextVariable({ var_name: "b1", data_type: "BIT", register_addr: 40001, register_bit: 15 })).toMatchObject({ register_addr: 40002, register_bit: 0 });
    expect(nextVariable({ var_name: "b1", data_type: "BIT", register_addr: 40001, register_bit: 2 })).toMatchObject({ register_addr: 40001, register_bit: 3 });
    expect(nextVariable({ var_name: "c1", data_type: "BOOL", register_addr: 1 })).toMatchObject({ register_addr: 2 });
  });
});
