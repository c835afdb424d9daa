// Calls to the server that sent the page, in AWS's restJson1 manner: names in path, query and
// headers, JSON bodies, errors as a status, a type in a header and a message in the body.
import { told } from "./connection";

/** What a server answered instead of doing what was asked, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** A few words above the message. */
    readonly heading: string,
    message: string,
  ) {
    super(message);
  }
}

export class ApiError extends Refusal {
  constructor(
    status: number,
    readonly type: string,
    message: string,
  ) {
    super(status, type, message);
  }
}

/** Nothing answered: the server is not running or cannot be reached. */
export class LostError extends Error {}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

const PATIENCE_MS = 15_000;

/** The server's root, for a page that stands in the folder /NAME/ of it. */
const root = () => new URL("..", document.baseURI);

/** `path` with each value percent-encoded: path`/things/${name}/shadow`. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((text, part, i) => text + encodeURIComponent(values[i - 1] ?? "") + part);
}

/** Absolute address of a path such as `/things`, with those query values that are defined. */
export function address(at: string, query: Call["query"] = {}): string {
  const url = new URL(at.replace(/^\//, ""), root());
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") {
      url.searchParams.append(key, String(value));
    }
  }
  return url.href;
}

/** The type may be a bare name, or `name:address`, or `namespace#name`. */
export function errorType(header: string | null, body: unknown): string {
  const named = header ?? (body as { __type?: unknown } | null)?.__type;
  const text = typeof named === "string" ? named : "";
  return text.split(":")[0]?.split("#").pop() ?? "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a response that is not `ok` says. */
export async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  const body = parse(text) as { message?: unknown; Message?: unknown } | undefined;
  const said = body?.message ?? body?.Message;
  return new ApiError(
    response.status,
    errorType(response.headers.get("x-amzn-errortype"), body) || `HTTP ${response.status}`,
    typeof said === "string" && said !== "" ? said : text.slice(0, 500) || response.statusText,
  );
}

async function fetched(at: string, call: Call): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  const forward = () => late.abort();
  call.signal?.addEventListener("abort", forward);
  try {
    const raw = typeof call.body === "string";
    const response = await fetch(address(at, call.query), {
      method: call.method ?? "GET",
      headers: { ...(raw || call.body === undefined ? {} : { "content-type": "application/json" }), ...call.headers },
      body: call.body === undefined ? undefined : raw ? (call.body as string) : JSON.stringify(call.body),
      signal: late.signal,
      cache: "no-store",
    });
    told(true);
    return response;
  } catch (error) {
    if (call.signal?.aborted) {
      throw error;
    }
    told(false);
    throw new LostError("The server does not answer.");
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", forward);
  }
}

/** The answer's JSON; undefined for an empty body. Throws ApiError or LostError. */
export async function ask<T>(at: string, call: Call = {}): Promise<T> {
  const response = await fetched(at, call);
  if (!response.ok) {
    throw await refusal(response);
  }
  const text = await response.text();
  return (text === "" ? undefined : parse(text)) as T;
}

/** All pages of a list, up to `most` items. `next` makes the query of the following page. */
export async function askAll<Page, Item>(
  page: (token: string | undefined) => Promise<Page>,
  items: (page: Page) => Item[] | undefined,
  next: (page: Page) => string | null | undefined,
  most = 2000,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  do {
    const got = await page(token);
    all.push(...(items(got) ?? []));
    token = next(got) ?? undefined;
  } while (token !== undefined && token !== "" && all.length < most);
  return all;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Refusal && error.status === 404;
}
