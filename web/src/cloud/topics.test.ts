import { expect, test } from "vitest";
import { filterMistake, isTopic, matches } from "./topics";

test.each([
  ["awsiot/test", "awsiot/test", true],
  ["awsiot/+", "awsiot/test", true],
  ["awsiot/+", "awsiot/test/a", false],
  ["awsiot/#", "awsiot/test/a", true],
  ["awsiot/#", "awsiot/", true],
  ["awsiot/#", "awsiot", false], // AWS: not the level above
  ["#", "$aws/things/a/shadow/update", false],
  ["$aws/things/+/shadow/#", "$aws/things/a/shadow/update", true],
  ["$share/group/a/+", "a/b", true],
])("%s and %s: %s", (filter, topic, result) => expect(matches(filter, topic)).toBe(result));

test("a filter that is none is told apart", () => {
  expect(filterMistake("")).toBe("empty");
  expect(filterMistake("a/#/b")).toBe("hash");
  expect(filterMistake("a#")).toBe("hash");
  expect(filterMistake("a/b+")).toBe("plus");
  expect(filterMistake("+/a/#")).toBeUndefined();
  expect(isTopic("a/+")).toBe(false);
});
