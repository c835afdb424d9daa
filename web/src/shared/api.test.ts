import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, address, ask, askAll, errorType, LostError, path } from "./api";
import { connection } from "./connection";

beforeEach(() => vi.stubGlobal("document", { baseURI: "http://localhost:4321/console/index.html#/things" }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("names are encoded, parameters without a value left out", () => {
  expect(path`/topics/${"a/b c"}`).toBe("/topics/a%2Fb%20c");
  expect(address("/things", { maxResults: 250, nextToken: undefined })).toBe("http://localhost:4321/things?maxResults=250");
  expect(address("/endpoint", { endpointType: "iot:Data-ATS" })).toBe("http://localhost:4321/endpoint?endpointType=iot%3AData-ATS");
});

test("the type of an error is found in each of AWS's forms", () => {
  expect(errorType("ResourceNotFoundException:http://internal.amazon.com/", null)).toBe("ResourceNotFoundException");
  expect(errorType(null, { __type: "com.amazonaws.iot#LimitExceededException" })).toBe("LimitExceededException");
  expect(errorType(null, undefined)).toBe("");
});

test("a refusal has the server's words", async () => {
  const answer = new Response('{"message":"Thing x cannot be found."}', {
    status: 404,
    headers: { "x-amzn-errortype": "ResourceNotFoundException" },
  });
  vi.stubGlobal("fetch", () => Promise.resolve(answer));
  const error = await ask("/things/x").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 404, type: "ResourceNotFoundException", message: "Thing x cannot be found." });
});

test("a connection that is lost is tried until it is back", async () => {
  vi.useFakeTimers();
  let there = false;
  vi.stubGlobal("fetch", () => (there ? Promise.resolve(new Response("")) : Promise.reject(new TypeError("no"))));
  const { round } = connection();
  await expect(ask("/things")).rejects.toBeInstanceOf(LostError);
  expect(connection().lost).toBe(true);
  await vi.advanceTimersByTimeAsync(3000);
  expect(connection().lost).toBe(true);
  there = true;
  await vi.advanceTimersByTimeAsync(1100);
  expect(connection()).toEqual({ lost: false, round: round + 1 });
});

test("a list is read page by page", async () => {
  const pages: Record<string, { items: number[]; next?: string }> = { "": { items: [1, 2], next: "b" }, b: { items: [3] } };
  const all = await askAll(
    (token) => Promise.resolve(pages[token ?? ""]),
    (page) => page?.items,
    (page) => page?.next,
  );
  expect(all).toEqual([1, 2, 3]);
});
