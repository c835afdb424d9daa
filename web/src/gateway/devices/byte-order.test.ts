import { describe, expect, it } from "vitest";
import { arranged, bytesOfHex, decoded, encoded, hexOf, likelyOnes, matches, ORDERS, readings, scaled, widthOf } from "./byte-order";

const of = (text: string) => bytesOfHex(text) ?? new Uint8Array();
const show = (text: string, order: (typeof ORDERS)[number]) => hexOf(arranged(of(text), order));

describe("orders", () => {
  it("are those of the gateway for two and four registers", () => {
    expect(ORDERS.map((order) => show("AABBCCDD", order))).toEqual(["AA BB CC DD", "BB AA DD CC", "CC DD AA BB", "DD CC BB AA"]);
    expect(show("1122334455667788", "badc")).toBe("22 11 44 33 66 55 88 77");
    expect(show("1122334455667788", "cdab")).toBe("77 88 55 66 33 44 11 22");
    expect(show("1122334455667788", "dcba")).toBe("88 77 66 55 44 33 22 11");
  });
  it("undo themselves and leave one register alone", () => {
    for (const order of ORDERS) {
      expect(hexOf(arranged(arranged(of("0102030405060708"), order), order))).toBe("01 02 03 04 05 06 07 08");
      expect(show("0102", order)).toBe("01 02");
    }
  });
});

describe("values", () => {
  it("come back from their bytes", () => {
    const cases: [Parameters<typeof decoded>[0], string, string][] = [
      ["FLOAT", "22.5", "41 B4 00 00"],
      ["FLOAT", "-0.1", "BD CC CC CD"],
      ["DWORD", "4294967295", "FF FF FF FF"],
      ["DINT", "-2", "FF FF FF FE"],
      ["INT", "-32768", "80 00"],
      ["WORD", "65535", "FF FF"],
      ["BCD", "1234", "12 34"],
      ["BCD32", "98765432", "98 76 54 32"],
      ["ULONG", "18446744073709551615", "FF FF FF FF FF FF FF FF"],
      ["LONG", "-1", "FF FF FF FF FF FF FF FF"],
      ["DOUBLE", "0.1", "3F B9 99 99 99 99 99 9A"],
    ];
    for (const [type, text, hex] of cases) {
      expect(hexOf(encoded(type, text) ?? new Uint8Array()), type).toBe(hex);
      expect(decoded(type, of(hex)), type).toBe(text);
    }
  });
  it("have no bytes when they are none", () => {
    expect(encoded("FLOAT", "abc")).toBeUndefined();
    expect(encoded("DWORD", "1.5")).toBeUndefined();
    expect(encoded("BCD", "-1")).toBeUndefined();
    expect(encoded("STRING", "1")).toBeUndefined();
    expect(encoded("DINT", " ")).toBeUndefined();
    expect(widthOf("BOOL")).toBeUndefined();
  });
  it("are empty where the bytes are none", () => {
    expect(decoded("FLOAT", of("7FC00000"))).toBe("");
    expect(decoded("BCD", of("1A00"))).toBe("");
  });
});

describe("readings", () => {
  it("take as many types as there are bytes", () => {
    expect(readings(of("0001")).map(({ type }) => type)).toEqual(["WORD", "INT", "BCD"]);
    expect(readings(of("00010002"))).toHaveLength(3 + 16);
    expect(readings(of("0001000200030004"))).toHaveLength(3 + 16 + 12);
    expect(readings(of("01"))).toEqual([]);
  });
  it("find the likely one of a FLOAT with turned registers", () => {
    const floats = readings(of("000041B4")).filter(({ type }) => type === "FLOAT");
    expect(floats.filter(({ likely }) => likely === 2).map(({ order, text }) => [order, text])).toEqual([["cdab", "22.5"]]);
  });
  it("are pointed at sparingly", () => {
    const pointed = (hex: string) => [...likelyOnes(readings(of(hex)))].map(({ type, order, text }) => `${type} ${order} ${text}`);
    expect(pointed("000041B4")).toEqual(["FLOAT cdab 22.5"]);
    expect(pointed("000004D2")).toEqual(["DWORD abcd 1234", "DWORD badc 53764", "DINT abcd 1234", "DINT badc 53764"]);
    expect(pointed("0000")).toEqual([]);
  });
  it("match the number on the device's display to its digits", () => {
    const [found] = readings(of("41B48F5C")).filter((one) => one.type === "FLOAT" && matches(one, "22.6"));
    expect(found?.order).toBe("abcd");
    expect(readings(of("41B48F5C")).some((one) => matches(one, "abc") || matches(one, ""))).toBe(false);
  });
  it("tell a decimal point that stands elsewhere", () => {
    const [word] = readings(of("00E1"));
    expect(word && scaled(word, "22.5")).toBe(1);
    expect(word && scaled(word, "225")).toBeUndefined();
    expect(word && scaled(word, "0")).toBeUndefined();
  });
});

it("hexadecimal text is read strictly", () => {
  expect(bytesOfHex("41 b4")).toEqual(new Uint8Array([0x41, 0xb4]));
  expect(bytesOfHex("41b")).toBeUndefined();
  expect(bytesOfHex("zz")).toBeUndefined();
  expect(bytesOfHex("")).toBeUndefined();
});
