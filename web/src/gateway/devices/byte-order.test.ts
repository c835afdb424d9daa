import { describe, expect, it } from "vitest";
import { arranged, bytesOfHex, encoded, hexOf, matches, ORDERS, scaled, takeable, widthOf } from "./byte-order";

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
  it("have the bytes of their type", () => {
    const cases: [string, string, string][] = [
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
});

describe("readings", () => {
  const reading = { text: "", likely: 2, marked: false, configured: false, settable: false };
  it("match the number on the device's display to its digits", () => {
    expect(matches({ text: "22.57" }, "22.6")).toBe(true);
    expect(matches({ text: "22.57" }, "22,6")).toBe(true);
    expect(matches({ text: "22.57" }, "22.7")).toBe(false);
    expect(matches({ text: "22.57" }, "abc") || matches({ text: "22.57" }, "") || matches({ text: "" }, "0")).toBe(false);
  });
  it("tell a decimal point that stands elsewhere", () => {
    expect(scaled({ text: "225" }, "22.5")).toBe(1);
    expect(scaled({ text: "225" }, "225")).toBeUndefined();
    expect(scaled({ text: "225" }, "0")).toBeUndefined();
  });
  it("can be taken over where the configuration has words for them", () => {
    expect(takeable({ ...reading, type: "FLOAT", order: "cdab" })).toBe(true);
    expect(takeable({ ...reading, type: "WORD", order: "ab" })).toBe(true);
    expect(takeable({ ...reading, type: "WORD", order: "ba" })).toBe(false);
    expect(takeable({ ...reading, type: "bits", order: "ab" })).toBe(false);
  });
});

it("hexadecimal text is read strictly", () => {
  expect(bytesOfHex("41 b4")).toEqual(new Uint8Array([0x41, 0xb4]));
  expect(bytesOfHex("41b")).toBeUndefined();
  expect(bytesOfHex("zz")).toBeUndefined();
  expect(bytesOfHex("")).toBeUndefined();
});
