import { expect, test } from "vitest";
import { parts, to } from "./route";

test("any name survives the way into the address and back", () => {
  for (const name of ["aws_iot_test", "a b", "50%", "ä/#:?", "%E0%A4%A"]) {
    expect(parts(to("things", name))).toEqual(["things", name]);
  }
});

test("an address that nobody wrote is taken as it stands", () => {
  expect(parts("")).toEqual([]);
  expect(parts("#/things/%E0%A4%A")).toEqual(["things", "%E0%A4%A"]);
});
