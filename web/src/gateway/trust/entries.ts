// What is asked of the list of certificates: whose they are, and whether their time has come.
import type { Entry } from "./calls";

const SOON_S = 30 * 86_400;

/** Those of one device's server, or all. */
export const entriesOf = (items: readonly Entry[], device?: string) =>
  device === undefined ? [...items] : items.filter(({ devices }) => devices.includes(device));

export const waiting = (items: readonly Entry[]) => items.filter(({ state }) => state === "rejected");

export const trusted = (items: readonly Entry[]) => items.filter(({ state }) => state === "trusted");

export type Validity = "later" | "valid" | "soon" | "ended";

export function validityOf({ not_before, not_after }: Pick<Entry, "not_before" | "not_after">, now: number): Validity {
  if (now < not_before) {
    return "later";
  }
  if (now > not_after) {
    return "ended";
  }
  return now > not_after - SOON_S ? "soon" : "valid";
}

/** In groups, as it is compared with what a server shows. */
export const grouped = (fingerprint: string) => (fingerprint.toUpperCase().match(/.{1,4}/g) ?? []).join(" ");
