import { expect, test } from "vitest";
import { eventParser } from "./event-parse";

test("events are whole wherever the pieces are cut", () => {
  const text = ': hello\n\nevent: values\nid: 7\ndata: {"v":[]}\n\ndata: one\r\ndata: two\r\n\r\nid\n\n';
  for (let cut = 0; cut < text.length; cut++) {
    const parse = eventParser("3");
    const events = [...parse(text.slice(0, cut)), ...parse(text.slice(cut))];
    expect(events).toEqual([
      { name: "values", data: '{"v":[]}', id: "7" },
      { name: "message", data: "one\ntwo", id: "7" },
    ]);
  }
});

test("what is not complete waits", () => {
  const parse = eventParser();
  expect(parse("event: log\ndata: {}\n")).toEqual([]);
  expect(parse("\n")).toEqual([{ name: "log", data: "{}", id: "" }]);
});
