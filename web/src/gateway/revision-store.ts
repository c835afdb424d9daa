// Which revision of the configuration runs, as far as the page knows: told by status events and by
// what edits answer. Pages that show the configuration load anew when it grows.
import { useSyncExternalStore } from "react";

/** A status event that was on its way while an edit was answered has the number before. */
const LATE_MS = 3000;

let running = 0;
let since = 0;
const listeners = new Set<() => void>();

export const runningRevision = () => running;

export function revisionIs(number: unknown): void {
  const next = typeof number === "number" ? number : (number as { number?: number } | null | undefined)?.number;
  if (typeof next !== "number" || next <= 0) {
    return;
  }
  const isLate = next < running && Date.now() - since < LATE_MS;
  if (next !== running && !isLate) {
    running = next;
    since = Date.now();
    listeners.forEach((listener) => listener());
  }
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** In the dependencies of a `load` it makes the page follow changes by others. */
export function useRevision(): number {
  return useSyncExternalStore(watch, runningRevision);
}
