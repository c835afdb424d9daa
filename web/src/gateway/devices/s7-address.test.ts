import { describe, expect, it } from "vitest";
import { parseS7 } from "./s7-address";

describe("S7 places", () => {
  it("are read in each notation", () => {
    expect(parseS7("%DB6.DBD18")).toEqual({ register_type: "DB", dbnumber: 6, register_addr: 18, register_bit: undefined, data_type: "DWORD" });
    expect(parseS7("db6.dbx2.0")).toMatchObject({ dbnumber: 6, register_addr: 2, register_bit: 0, data_type: "BOOL" });
    expect(parseS7("DB6.14")).toMatchObject({ register_type: "DB", register_addr: 14, data_type: undefined });
    expect(parseS7("EW3")).toMatchObject({ register_type: "I", register_addr: 3, data_type: "WORD", dbnumber: undefined });
    expect(parseS7("A0.1")).toMatchObject({ register_type: "Q", register_bit: 1, data_type: "BOOL" });
    expect(parseS7(" M10.2 ")).toMatchObject({ register_type: "M", register_addr: 10, register_bit: 2 });
    expect(parseS7("VW100")).toMatchObject({ register_type: "DB", dbnumber: 1, register_addr: 100, data_type: "WORD" });
  });
  it("that are none are none", () => {
    for (const text of ["", "18", "DB6", "DB0.DBW1", "DB6.DBW2.1", "DB6.DBX2", "DB6.DB2", "M1.8", "MW70000", "T5", "40001"]) {
      expect(parseS7(text), text).toBeUndefined();
    }
  });
});
