// Unsaved changes are asked about before they are lost: when another page is chosen, the address is
// changed, or the window is closed.
import { useEffect } from "react";
import { words } from "./words";

let dirty = 0;
let here = typeof window === "undefined" ? "" : window.location.hash;

/** The question; the browser's own stops everything until it is answered, also going back. */
const mayLeave = () => dirty === 0 || window.confirm(words.unsaved);

function onHashChange(event: HashChangeEvent): void {
  if (window.location.hash === here) {
    event.stopImmediatePropagation(); // the way back after "stay"
  } else if (mayLeave()) {
    here = window.location.hash;
  } else {
    event.stopImmediatePropagation();
    window.location.hash = here;
  }
}

/** Before anything else listens to the address, so that pages do not see a change that is refused. */
export function guardAddress(): void {
  window.addEventListener("hashchange", onHashChange);
  window.addEventListener("beforeunload", (event) => {
    if (dirty > 0) {
      event.preventDefault();
    }
  });
}

/** While `changed`, leaving asks first. */
export function useUnsaved(changed: boolean): void {
  useEffect(() => {
    if (!changed) {
      return undefined;
    }
    dirty++;
    return () => {
      dirty--;
    };
  }, [changed]);
}

/** For windows and drawers that close over unsaved entries: asks, true when it may close. */
export function mayClose(changed: boolean): boolean {
  return !changed || window.confirm(words.unsaved);
}
