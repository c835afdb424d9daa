import { expect, it } from "vitest";
import type { Entry } from "./calls";
import { entriesOf, grouped, trusted, validityOf, waiting } from "./entries";

const entry = (fingerprint: string, state: Entry["state"], ...devices: string[]): Entry => ({
  fingerprint,
  state,
  subject: "",
  uri: "",
  hosts: "",
  endpoint: "",
  warning: "",
  devices,
  not_before: 0,
  not_after: 0,
  met: 0,
});

it("keeps apart whose they are and what was decided", () => {
  const items = [entry("a", "rejected", "press", "oven"), entry("b", "trusted", "press"), entry("c", "rejected")];
  expect(entriesOf(items).length).toBe(3);
  expect(entriesOf(items, "press").map(({ fingerprint }) => fingerprint)).toEqual(["a", "b"]);
  expect(entriesOf(items, "pres")).toEqual([]);
  expect(waiting(items).map(({ fingerprint }) => fingerprint)).toEqual(["a", "c"]);
  expect(trusted(items).map(({ fingerprint }) => fingerprint)).toEqual(["b"]);
});

it("knows when a certificate counts", () => {
  const day = 86_400;
  const year = { not_before: 0, not_after: 365 * day };
  expect([-1, 0, 334 * day, 336 * day, 365 * day + 1].map((now) => validityOf(year, now))).toEqual(["later", "valid", "valid", "soon", "ended"]);
});

it("groups the digits of a fingerprint", () => {
  expect(grouped("c1d50853e9")).toBe("C1D5 0853 E9");
  expect(grouped("")).toBe("");
});
