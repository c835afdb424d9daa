// Calls to the gateway's API under /api/v1. A refusal is a `Problem` in the server's own words; a
// session that is over is told to the session's store, a connection that is lost to shared/connection.
import { LostError, path, Refusal } from "../shared/api";
import { told } from "../shared/connection";
import { entered, refused, type Session, sessionState } from "./session-store";
import { words } from "./words";

export { LostError, path };

export interface Finding {
  severity: "error" | "warning";
  object: string;
  field: string;
  text: string;
}

export type Query = Record<string, string | number | boolean | undefined>;
export type Method = "POST" | "PUT" | "DELETE";

interface ProblemJson {
  title?: string;
  class?: string;
  object?: string;
  field?: string;
  detail?: string;
  findings?: Finding[];
}

/** What the gateway answered instead of doing what was asked (problem+json). */
export class Problem extends Refusal {
  readonly class: string;
  readonly object: string;
  readonly field: string;
  readonly detail: string;
  readonly findings: Finding[];
  constructor(status: number, said: ProblemJson, readonly retryAfter = 0) {
    const where = [said.object, said.field].filter((part) => part !== undefined && part !== "").join(", ");
    const detail = said.detail ?? "";
    super(status, words.problems[status] ?? said.title ?? `HTTP ${status}`, where === "" ? detail : `${where}: ${detail}`);
    this.class = said.class ?? "";
    this.object = said.object ?? "";
    this.field = said.field ?? "";
    this.detail = detail;
    this.findings = said.findings ?? [];
  }
}

const PATIENCE_MS = 20_000;

/** The page stands at the server's root. */
export function address(at: string, query: Query = {}): string {
  const url = new URL(`api/v1/${at.replace(/^\//, "")}`, document.baseURI);
  url.hash = "";
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") {
      url.searchParams.append(key, String(value));
    }
  }
  return url.href;
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The problem in an answer that is not `ok`. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  const said = parse(text);
  return new Problem(
    response.status,
    said !== null && typeof said === "object" ? said : { title: response.statusText, detail: text.slice(0, 500) },
    Number(response.headers.get("retry-after")) || 0,
  );
}

interface Call {
  method: "GET" | Method;
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** Longest wait; 0 waits for as long as it takes. */
  patience?: number;
}

async function once(at: string, { method, query, body, signal, patience = PATIENCE_MS }: Call): Promise<Response> {
  const late = new AbortController();
  const timer = patience > 0 ? setTimeout(() => late.abort(), patience) : undefined;
  const forward = () => late.abort();
  signal?.addEventListener("abort", forward);
  const csrf = sessionState().session?.csrf;
  try {
    const response = await fetch(address(at, query), {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(method === "GET" || csrf === undefined ? {} : { "x-csrf-token": csrf }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: late.signal,
      cache: "no-store",
      credentials: "same-origin",
    });
    told(true);
    return response;
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    told(false);
    throw new LostError(words.noAnswer);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

/** The session was made anew elsewhere, by a log-in in another window: its token is asked for. */
async function csrfIsNew(): Promise<boolean> {
  const was = sessionState().session;
  const response = was ? await once("session", { method: "GET" }) : undefined;
  const session = response?.ok ? (parse(await response.text()) as Session) : undefined;
  if (session === undefined || session.csrf === was?.csrf) {
    return false;
  }
  entered(session);
  return true;
}

/** Calls, and throws what is not a success. */
export async function call(at: string, what: Call): Promise<Response> {
  let response = await once(at, what);
  if (response.status === 403 && what.method !== "GET" && (await csrfIsNew())) {
    response = await once(at, what);
  }
  if (response.status === 401) {
    refused();
  }
  if (!response.ok) {
    throw await problemOf(response);
  }
  return response;
}

const answerOf = async <T>(response: Response) => {
  const text = await response.text();
  return (text === "" ? undefined : parse(text)) as T;
};

export async function get<T>(at: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return answerOf<T>(await call(at, { method: "GET", query, signal }));
}

/** The answer as text: logs, exports. */
export async function getText(at: string, query?: Query): Promise<string> {
  return (await call(at, { method: "GET", query })).text();
}

export async function send<T = unknown>(
  method: Method,
  at: string,
  body?: unknown,
  query?: Query,
  more: Pick<Call, "signal" | "patience"> = {},
): Promise<T> {
  return answerOf<T>(await call(at, { method, body, query, ...more }));
}
