// Which revision of the configuration runs, as far as the page knows: told by status events and by
// what edits answer. Pages that show the configuration load anew when it grows.
import { useSyncExternalStore } from "react";

let running = 0;
const listeners = new Set<() => void>();

export const runningRevision = () => running;

export function revisionIs(number: unknown): void {
  const next = typeof number === "number" ? number : (number as { number?: number } | null | undefined)?.number;
  if (typeof next === "number" && next > 0 && next !== running) {
    running = next;
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
