import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LostError } from "../shared/api";
import { address, get, Problem, send } from "./api";
import { errorsOf } from "./problem-fields";
import { entered, left, sessionState } from "./session-store";

const SESSION = { name: "anna", role: "engineer" as const, csrf: "one", idle_until: 0, expires: 0 };
const json = (body: unknown, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { baseURI: "https://gateway:9443/#/devices" });
  entered(SESSION);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  left();
});

test("addresses stand below the API, without what is not asked", () => {
  expect(address("/devices", { search: "", limit: 5, sort: undefined })).toBe("https://gateway:9443/api/v1/devices?limit=5");
});

test("a refusal says object, field and findings", async () => {
  const problem = { status: 422, class: "invalid", object: "device 'A'", field: "ip", detail: "must be an address", findings: [{ severity: "error", object: "", field: "port", text: "too big" }] };
  vi.stubGlobal("fetch", () => Promise.resolve(json(problem, 422)));
  const error = (await send("PUT", "devices/A", {}).catch((caught: unknown) => caught)) as Problem;
  expect(error).toBeInstanceOf(Problem);
  expect(error.message).toBe("device 'A', ip: must be an address");
  expect(errorsOf(error)).toEqual({ ip: "must be an address", port: "too big" });
  expect(errorsOf(error, ["port"])).toEqual({ port: "too big" });
});

test("a token that another window made anew is fetched, and the call repeated", async () => {
  const sent: (string | undefined)[] = [];
  vi.stubGlobal("fetch", (_: string, { method, headers }: { method: string; headers: Record<string, string> }) => {
    if (method === "GET") {
      return Promise.resolve(json({ ...SESSION, csrf: "two" }));
    }
    sent.push(headers["x-csrf-token"]);
    return Promise.resolve(headers["x-csrf-token"] === "two" ? json({ done: true }) : json({}, 403));
  });
  expect(await send("POST", "edits", { edits: [] })).toEqual({ done: true });
  expect(sent).toEqual(["one", "two"]);
});

test("what the role may not do is refused once, not tried again", async () => {
  let posts = 0;
  vi.stubGlobal("fetch", (_: string, { method }: { method: string }) =>
    Promise.resolve(method === "GET" ? json(SESSION) : (posts++, json({ detail: "needs administrator" }, 403))),
  );
  await expect(send("POST", "users", {})).rejects.toBeInstanceOf(Problem);
  expect(posts).toBe(1);
});

test("a session that is over keeps who it was of; silence is a lost connection", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(json({}, 401)));
  await expect(get("status")).rejects.toBeInstanceOf(Problem);
  expect(sessionState()).toMatchObject({ presence: "expired", session: { name: "anna" } });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no")));
  await expect(get("status")).rejects.toBeInstanceOf(LostError);
});
