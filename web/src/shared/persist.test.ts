import { expect, test } from "vitest";
import { persist } from "./persist";

function failing(times: number) {
  let calls = 0;
  return {
    calls: () => calls,
    load: () => {
      calls++;
      return calls <= times ? Promise.reject(new Error(`failure ${calls}`)) : Promise.resolve("page");
    },
  };
}

test("what fails for a moment is loaded", async () => {
  const server = failing(2);
  expect(await persist(server.load, [0, 0, 0])).toBe("page");
  expect(server.calls()).toBe(3);
});

test("what goes on failing says its last reason", async () => {
  const server = failing(9);
  await expect(persist(server.load, [0, 0])).rejects.toThrow("failure 3");
  expect(server.calls()).toBe(3);
});
