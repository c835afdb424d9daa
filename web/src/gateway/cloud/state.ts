// The cloud's state in the words of Device Supervisor, and what went wrong with its cure. Pure.

export interface Link {
  state: string;
  since: number;
  last_error: string;
  last_error_at?: number | null;
  type?: string;
  endpoint?: string;
  port?: number;
  client_id?: string;
  connects?: number;
  connect_attempts?: number;
  acknowledged?: number;
  received?: number;
}

export const CONNECTED = "Connection Successful";

export type Mood = "success" | "processing" | "warning" | "error" | "default";

const MOODS: Readonly<Record<string, Mood>> = {
  "Not Enabled": "default",
  Connecting: "processing",
  [CONNECTED]: "success",
  Disconnect: "warning",
  "Unknown Error": "error",
};

export function mood(state: string): Mood {
  return MOODS[state] ?? "default";
}

/** `0 Day 00:00:48`; empty when not connected. */
export function connectionTime(link: Link, now: number): string {
  if (link.state !== CONNECTED) {
    return "";
  }
  const seconds = Math.max(0, Math.floor(now - link.since));
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return `${Math.floor(seconds / 86400)} Day ${clock}`;
}

/** "STEP: cause; cure" in its parts: src/link/link.h. */
export function failure(text: string): { step: string; cause: string; cure: string } {
  const named = /^([A-Za-z ]{2,16}): /.exec(text);
  const rest = text.slice(named?.[0].length ?? 0);
  const cut = rest.lastIndexOf("; ");
  return {
    step: named?.[1] ?? "",
    cause: cut < 0 ? rest : rest.slice(0, cut),
    cure: cut < 0 ? "" : rest.slice(cut + 2),
  };
}
