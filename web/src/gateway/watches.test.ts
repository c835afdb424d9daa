import { expect, test } from "vitest";
import { emptyList, keyOf, WATCH_MOST, type Watched, wantedList } from "./watches";

const many = (count: number, from = 0): Watched[] => Array.from({ length: count }, (_, i) => ["PLC", `v${from + i}`]);

test("a list grows at its end and keeps what positions mean", () => {
  const first = wantedList(emptyList(), many(3));
  expect(first.fresh).toBe(true);
  const second = wantedList(first.next, many(3, 2));
  expect(second.fresh).toBe(false);
  expect(second.next.list.map(([, name]) => name)).toEqual(["v0", "v1", "v2", "v3", "v4"]);
  expect(second.next.position.get(keyOf(["PLC", "v2"]))).toBe(2);
  expect(wantedList(second.next, many(2)).next).toBe(second.next);
});

test("a list with too much that nobody wants is made anew, one too long is cut", () => {
  const big = wantedList(emptyList(), many(600)).next;
  const after = wantedList(big, many(10, 600));
  expect(after.fresh).toBe(true);
  expect(after.next.list).toHaveLength(10);
  expect(wantedList(emptyList(), many(WATCH_MOST + 5)).next.list).toHaveLength(WATCH_MOST);
  expect(wantedList(emptyList(), []).fresh).toBe(false);
  expect(wantedList(big, [])).toMatchObject({ next: { list: [] }, fresh: true });
});

test("the same variable twice is watched once", () => {
  expect(wantedList(emptyList(), [...many(2), ...many(2)]).next.list).toHaveLength(2);
});
