import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { revisionIs, runningRevision } from "./revision-store";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("does not go back by a status event that was on its way", () => {
  revisionIs({ number: 7 });
  revisionIs(8);
  revisionIs({ number: 7 });
  expect(runningRevision()).toBe(8);
  // A gateway with another history, some time later.
  vi.advanceTimersByTime(10_000);
  revisionIs({ number: 2 });
  expect(runningRevision()).toBe(2);
  revisionIs(undefined);
  revisionIs({});
  expect(runningRevision()).toBe(2);
});
