// A message's payload in the ways the test client shows it. Pure.
import { pretty } from "../shared/json-text";

export type Display = "json" | "string" | "hex";

export interface Message {
  key: number;
  topic: string;
  /** The bytes when they are not text, else undefined. */
  bytes: Uint8Array | undefined;
  text: string;
  qos: number;
  retain: boolean;
  /** Milliseconds since 1970. */
  at: number;
}

export function toHex(bytes: Uint8Array): string {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const lines: string[] = [];
  for (let i = 0; i < pairs.length; i += 16) {
    lines.push(pairs.slice(i, i + 16).join(" "));
  }
  return lines.join("\n");
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Bytes that are not UTF-8 are shown as hexadecimal whatever was chosen. */
export function shown(message: Message, display: Display): string {
  if (message.bytes !== undefined || display === "hex") {
    return toHex(message.bytes ?? new TextEncoder().encode(message.text));
  }
  return display === "json" ? pretty(message.text) : message.text;
}

/** An event of the stream: {"topic", "payload" or "payloadBase64", "qos", "retain", "time_ms"}. */
export function messageOf(data: string, key: number, now: number): Message | undefined {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof event.topic !== "string") {
    return undefined;
  }
  const coded = typeof event.payloadBase64 === "string" ? fromBase64(event.payloadBase64) : undefined;
  return {
    key,
    topic: event.topic,
    bytes: coded,
    text: typeof event.payload === "string" ? event.payload : "",
    qos: typeof event.qos === "number" ? event.qos : 0,
    retain: event.retain === true,
    at: typeof event.time_ms === "number" ? event.time_ms : now,
  };
}
