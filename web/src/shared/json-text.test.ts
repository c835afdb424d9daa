import { expect, test } from "vitest";
import { mistake, pretty, tokens } from "./json-text";

test("JSON is indented, anything else stays as it is", () => {
  expect(pretty('{"a":[1,2]}')).toBe('{\n  "a": [\n    1,\n    2\n  ]\n}');
  expect(pretty("23.5 °C")).toBe("23.5 °C");
  const value = { a: [], b: {}, "c,{": [{ d: `}]:"\\,` }, [1, [2]], null], e: true };
  expect(pretty(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  expect(pretty('{"a":1.0,"b":12345678901234567890}')).toBe('{\n  "a": 1.0,\n  "b": 12345678901234567890\n}');
});

test("the place of a mistake is where the text stops being JSON", () => {
  expect(mistake('{"a": 1}')).toBeUndefined();
  expect(mistake('{\n  "a": 1,\n  b: 2\n}')).toMatchObject({ line: 3, column: 3 });
  expect(mistake('{"a": ')).toMatchObject({ line: 1, column: 7 });
  const columns = ['{"a": }', '{"a": 1,}', "[1 2]", '[1,"x]', "{} {}", "[1}", '{"a" 1}', "tru", "01", '["\\x"]', ""].map((text) => mistake(text)?.column);
  expect(columns).toEqual([7, 9, 4, 4, 4, 3, 6, 1, 2, 2, 1]);
});

test("pieces joined are the text again, keys and values told apart", () => {
  const text = pretty('{"k\\"1": "a: b", "n": -1.5e3, "t": true, "z": null}');
  const found = tokens(text);
  expect(found.map((token) => token.text).join("")).toBe(text);
  expect(found.filter(({ kind }) => kind === "key").map((token) => token.text)).toEqual(['"k\\"1"', '"n"', '"t"', '"z"']);
  expect(found.filter(({ kind }) => kind === "string").map((token) => token.text)).toEqual(['"a: b"']);
  expect(found.filter(({ kind }) => kind === "number").map((token) => token.text)).toEqual(["-1.5e3"]);
});
