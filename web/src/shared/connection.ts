// Whether the server answers. A call that gets no answer makes the connection lost; from then on it
// is tried again by itself, and whoever shows data loads it anew once it is back.
import { useSyncExternalStore } from "react";

export interface Connection {
  lost: boolean;
  /** Grows each time the connection comes back: data loaded under a smaller number may be old. */
  round: number;
}

const TRY_AGAIN_MS = 1000;

let state: Connection = { lost: false, round: 0 };
const listeners = new Set<() => void>();

function become(next: Connection): void {
  state = next;
  listeners.forEach((listener) => listener());
}

async function tryAgain(): Promise<void> {
  try {
    // Any answer will do, also a refusal: the page's own address is always there.
    await fetch(document.baseURI, { method: "GET", cache: "no-store" });
    told(true);
  } catch {
    setTimeout(() => void tryAgain(), TRY_AGAIN_MS);
  }
}

/** Whoever talked to the server tells whether it answered. */
export function told(answered: boolean): void {
  if (answered && state.lost) {
    become({ lost: false, round: state.round + 1 });
  } else if (!answered && !state.lost) {
    become({ ...state, lost: true });
    setTimeout(() => void tryAgain(), TRY_AGAIN_MS);
  }
}

/** Everything shown is loaded anew: somebody else looks at it now, or may see more. */
export function loadAnew(): void {
  become({ ...state, round: state.round + 1 });
}

export function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function connection(): Connection {
  return state;
}

export function useConnection(): Connection {
  return useSyncExternalStore(watch, connection);
}
