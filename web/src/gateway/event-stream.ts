// One stream of events from the gateway for the whole page: opened when somebody wants something of
// it, opened anew when that changes, and by itself after a cut, going on where it was cut.
import { told } from "../shared/connection";
import { address, type Query } from "./api";
import { eventParser, type ServerEvent } from "./event-parse";
import { refused } from "./session-store";

const AGAIN_MS = 1000;
/** The gateway sends something each 10 s; when nothing comes for so long the line is dead. */
const SILENCE_MS = 25_000;

export class EventStream {
  private stop: AbortController | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private lastId = "";
  private query: Query | undefined;

  /** `gone`: the server knows the stream's watch no more (404). */
  constructor(
    private readonly onEvent: (event: ServerEvent) => void,
    private readonly onGone: () => void,
    private readonly onOpen: () => void,
  ) {}

  open(query: Query): void {
    this.close();
    this.query = query;
    void this.run(query);
  }

  close(): void {
    clearTimeout(this.again);
    this.stop?.abort();
    this.stop = undefined;
    this.query = undefined;
  }

  private later(query: Query): void {
    this.again = setTimeout(() => void this.run(query), AGAIN_MS);
  }

  private async run(query: Query): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    try {
      const response = await fetch(address("events", query), {
        headers: { accept: "text/event-stream", ...(this.lastId === "" ? {} : { "last-event-id": this.lastId }) },
        signal: stop.signal,
        cache: "no-store",
        credentials: "same-origin",
      });
      told(true);
      if (response.status === 401) {
        refused();
        return;
      }
      if (response.status === 404 && query["watch"] !== undefined) {
        this.onGone();
        return;
      }
      if (response.ok && response.body) {
        this.onOpen();
        await this.read(response.body, stop);
      }
    } catch {
      if (!stop.signal.aborted) {
        told(false);
      }
    }
    if (this.query === query) {
      this.later(query);
    }
  }

  private async read(body: ReadableStream<Uint8Array>, stop: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parse = eventParser(this.lastId);
    for (;;) {
      const silence = setTimeout(() => void reader.cancel(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done || stop.signal.aborted) {
        return;
      }
      for (const event of parse(decoder.decode(value, { stream: true }))) {
        this.lastId = event.id;
        this.onEvent(event);
      }
    }
  }
}
