import { describe, expect, it } from "vitest";
import { conditionText, duration, levelName, sentence, type Strategy } from "./condition";
import { fresh, ownKeys, settledOwn, strategyOf, target } from "./strategy-values";

const strategy: Strategy = {
  warn_name: "Mid level",
  group: "warning",
  quotes: 1,
  device: "Tank",
  var_name: "level",
  condition1: "Gt",
  operand1: "30",
};

describe("a condition", () => {
  it("is shown as Device Supervisor does", () => {
    expect(conditionText(strategy)).toBe("> 30");
    expect(conditionText({ ...strategy, combine_method: "And", condition2: "Lt", operand2: "50" })).toBe("> 30 && < 50");
    expect(conditionText({ ...strategy, condition1: "Eq", operand1: "1", combine_method: "None" })).toBe("= 1");
    expect(conditionText({ ...strategy, combine_method: "Or", condition2: "Neq", operand2: "x" })).toBe("> 30 || != x");
  });

  it("is told in a sentence, with when it ends", () => {
    expect(sentence(strategy)).toBe("Begins when level is > 30; ends when it is <= 30.");
    expect(sentence({ ...strategy, hysteresis: 2, on_delay: 10, off_delay: 90 })).toBe(
      "Begins when level is > 30 for 10 s; ends when it is <= 28 for 1 min 30 s.",
    );
    expect(
      sentence({ ...strategy, combine_method: "And", condition2: "Lt", operand2: "50", hysteresis: 2 }),
    ).toBe("Begins when level is > 30 && < 50; ends when it is <= 28 || >= 52.");
    expect(sentence({ ...strategy, condition1: "Eq", hysteresis: 2 })).toContain("outside 28 to 32");
    expect(sentence({ ...strategy, condition1: "Eq", operand1: "stop" })).toContain("it no longer holds");
    expect(sentence({ ...strategy, operand1: " " })).toBe("");
    expect(sentence({ ...strategy, operand1: "0.3", condition1: "Lt", hysteresis: 0.1 })).toContain(">= 0.4");
  });
});

describe("times and levels", () => {
  it("are said in words", () => {
    expect(duration(0)).toBe("0 s");
    expect(duration(0.5)).toBe("0.5 s");
    expect(duration(90061)).toBe("1 d 1 h 1 min 1 s");
    expect(duration(7200)).toBe("2 h");
    expect(levelName(1)).toBe("Remind");
    expect(levelName(9)).toBe("9");
  });
});

describe("the form", () => {
  it("begins as Device Supervisor's", () => {
    expect(fresh()).toMatchObject({ group: "warning", quotes: 1, condition1: "Eq" });
  });

  it("sends what applies: a quoted variable has no address of its own", () => {
    const values = { ...strategy, data_type: "WORD", register_addr: 40001, condition2: "Lt", operand2: "4", unit: "" };
    expect(strategyOf(values, "ModbusTCP")).toEqual(strategy);
  });

  it("sends an address of its own with the keys of its type", () => {
    const values = { ...strategy, quotes: 0, data_type: "FLOAT", register_addr: 40001, register_bit: 3, float_repr: 1, size: 4 };
    expect(strategyOf(values, "ModbusTCP")).toEqual({ ...strategy, quotes: 0, data_type: "FLOAT", register_addr: 40001, float_repr: 1 });
    expect(ownKeys({ data_type: "BOOL", register_addr: 40001 }, "ModbusTCP")).toContain("register_bit");
    expect(ownKeys({ data_type: "BOOL", register_addr: 1 }, "ModbusTCP")).not.toContain("register_bit");
    expect(ownKeys({ data_type: "STRING" }, "ModbusRTU")).toContain("size");
  });

  it("asks for the place as the protocol has it", () => {
    const bit = ["register_type", "dbnumber", "register_addr", "data_type", "register_bit", "unit", "desc"];
    expect(ownKeys({ data_type: "BOOL", register_type: "DB" }, "ISO-on-TCP")).toEqual(bit);
    expect(ownKeys({ register_type: "M" }, "ISO-on-TCP")).toEqual(["register_type", "register_addr", "data_type", "unit", "desc"]);
    const node = ["namespace_index", "identifier_type", "identifier", "data_type", "float_repr", "unit", "desc"];
    expect(ownKeys({}, "OPCUA")).toEqual(node);
    expect(ownKeys({}, "EtherNet/IP")).toEqual(["symbol", "float_repr", "unit", "desc"]);
    const values = { ...strategy, quotes: 0, symbol: "Tank", data_type: "WORD", register_addr: 40001 };
    expect(strategyOf(values, "EtherNet/IP")).toEqual({ ...strategy, quotes: 0, symbol: "Tank", data_type: "WORD" });
  });

  it("takes an address in S7 notation apart, and its width where no type is chosen", () => {
    const typed = (text: string, more = {}) => settledOwn({ quotes: 0, register_addr: text as unknown as number, ...more });
    expect(typed("DB6.DBD18")).toMatchObject({ register_type: "DB", dbnumber: 6, register_addr: 18, data_type: "DWORD" });
    expect(typed("DB6.DBD18", { data_type: "FLOAT" })).toMatchObject({ register_addr: 18, data_type: "FLOAT" });
    const sent = strategyOf({ ...strategy, ...typed("A0.3", { dbnumber: 4 }) }, "ISO-on-TCP");
    expect(sent).toEqual({ ...strategy, quotes: 0, register_type: "Q", register_addr: 0, register_bit: 3, data_type: "BOOL" });
    expect(typed("nowhere")).toMatchObject({ register_addr: "nowhere" });
  });

  it("sends operands as texts, zero too", () => {
    const values = { ...strategy, operand1: 0 as unknown as string, combine_method: "Or", operand2: undefined };
    expect(strategyOf(values, "ModbusTCP")).toMatchObject({ operand1: "0", combine_method: "Or", condition2: "Eq", operand2: "" });
  });

  it("names what is watched", () => {
    expect(target(strategy, () => "40001")).toBe("level (40001)");
    expect(target(strategy, () => undefined)).toBe("level");
    expect(target({ ...strategy, quotes: 0, data_type: "BOOL", register_addr: 40001, register_bit: 0 }, () => "")).toBe("40001.0");
    expect(target({ ...strategy, quotes: 0, register_type: "DB", dbnumber: 6, register_addr: 14 }, () => "")).toBe("DB6.14");
    expect(target({ ...strategy, quotes: 0, symbol: "Motor.Speed" }, () => "")).toBe("Motor.Speed");
  });
});
