// Where in the application one is: the part of the address after `#`, so that the server needs to
// know nothing of it and the browser's back button works.
import { useSyncExternalStore } from "react";

/** The parts of `#/things/my%20thing` are ["things", "my thing"]. */
export function parts(hash: string): string[] {
  return hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "")
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** The address of a place, for links. */
export function to(...names: string[]): string {
  return `#/${names.map(encodeURIComponent).join("/")}`;
}

export function go(...names: string[]): void {
  window.location.hash = to(...names);
}

function watch(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): string[] {
  return parts(useSyncExternalStore(watch, () => window.location.hash));
}
