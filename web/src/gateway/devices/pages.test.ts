import { describe, expect, it } from "vitest";
import { inView, nothing, PAGES_MOST, pagesOf, rowAt, withPage } from "./pages";

describe("pages of a list on the server", () => {
  it("are those that the rows in view stand on", () => {
    expect(pagesOf(0, 30, 50, 100_000)).toEqual([0]);
    expect(pagesOf(40, 60, 50, 100_000)).toEqual([0, 1]);
    expect(pagesOf(99_990, 100_020, 50, 100_000)).toEqual([1999]);
    expect(pagesOf(-5, 3, 50, 100)).toEqual([0]);
    expect(pagesOf(0, 10, 50, 0)).toEqual([]);
  });
  it("hold their rows, and a bounded number of them", () => {
    let held = nothing<string>(2);
    held = withPage(held, 0, ["a", "b"], 1000);
    for (let page = 1; page <= PAGES_MOST; page++) {
      held = withPage(held, page, [`${page}a`, `${page}b`], 1000);
    }
    expect(held.pages.size).toBe(PAGES_MOST);
    expect(rowAt(held, 0)).toBeUndefined();
    expect(rowAt(held, 3)).toBe("1b");
  });
  it("are forgotten when the list has another length", () => {
    const held = withPage(withPage(nothing<string>(2), 0, ["a", "b"], 4), 1, ["c"], 3);
    expect(rowAt(held, 0)).toBeUndefined();
    expect(rowAt(held, 2)).toBe("c");
  });
  it("rows in view are within the list", () => {
    expect(inView(0, 400, 40, 1000)).toEqual({ first: 0, last: 10 });
    expect(inView(39_800, 400, 40, 1000)).toEqual({ first: 995, last: 999 });
    expect(inView(0, 400, 40, 0)).toEqual({ first: 0, last: -1 });
  });
});
