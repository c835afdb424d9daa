import { expect, test } from "vitest";
import type { Message } from "./payload";
import { received, type Subscription } from "./test-store";

const message = (key: number, topic: string): Message => ({ key, topic, text: "", bytes: undefined, qos: 0, retain: false, at: 0 });
const empty: Subscription = { filter: "a/+", qos: 0, messages: [], capture: 2, unread: 0, dropped: 0 };

test("a subscription keeps the newest messages of its topics, newest first", () => {
  const one = received(empty, [message(1, "a/b"), message(2, "b"), message(3, "a/c"), message(4, "a/d")], false);
  expect(one.messages.map(({ key }) => key)).toEqual([4, 3]);
  expect(one).toMatchObject({ unread: 3, dropped: 1 });
  expect(received(one, [message(5, "b")], true)).toBe(one);
  expect(received(one, [message(6, "a/b")], true)).toMatchObject({ unread: 0, dropped: 2 });
});
