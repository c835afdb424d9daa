import { expect, test } from "vitest";
import { local, span, utc } from "./time-text";

test("spans have their two largest units", () => {
  expect([0, 59.9, 60, 725, 3600, 90_000, 86_400 * 3 + 4 * 3600].map(span)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "12 min 5 s",
    "1 h",
    "1 d 1 h",
    "3 d 4 h",
  ]);
  expect(span(-5)).toBe("0 s");
});

test("a moment is that of the zone, the day left out when it is today's", () => {
  const date = new Date(2026, 0, 31, 9, 5, 7, 89);
  const at = date.getTime() / 1000;
  expect(local(at)).toBe("2026-01-31 09:05:07");
  expect(local(at, { ms: true, short: true, now: date })).toBe("09:05:07.089");
  expect(local(at, { short: true, now: new Date(2026, 1, 1) })).toBe("2026-01-31 09:05:07");
  expect(utc(0)).toBe("1970-01-01 00:00:00 UTC");
});
