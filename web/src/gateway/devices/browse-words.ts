// Texts of browsing a device, and which devices can be browsed.
import type { Device } from "./calls";

/** Protocols whose devices tell what they have. */
const BROWSABLE: readonly string[] = ["OPCUA", "EtherNet/IP"];

export const browsable = ({ protocol }: Pick<Device, "protocol">) => BROWSABLE.includes(protocol);

export const browseWords = {
  button: "Browse the device",
  title: (device: string) => `What ${device} has`,
  search: "Search in what is open",
  name: "Name",
  type: "Type",
  access: "Access",
  address: "Address",
  open: (name: string) => `Open ${name}`,
  close: (name: string) => `Close ${name}`,
  pick: (name: string) => `Pick ${name}`,
  read: "read",
  readWrite: "read/write",
  writeOnly: "write",
  none: "–",
  more: "Load more",
  moreOf: (name: string) => `Load more of ${name}`,
  loading: "Loading…",
  empty: "There is nothing inside.",
  noMatch: "Nothing that is open has this in its name or address.",
  noType: "Has no single value: open it and pick what is inside.",
  picked: (count: number) => (count === 0 ? "Nothing is picked yet" : `${count.toLocaleString("en")} picked`),
  group: "Group",
  writable: "Allow writing where the device does",
  nameOf: (address: string) => `Name of ${address}`,
  drop: (name: string) => `Do not add ${name}`,
  add: (count: number) => (count === 1 ? "Add 1 variable" : `Add ${count.toLocaleString("en")} variables`),
  twice: "Two variables have this name",
  missing: "A name is missing",
  use: "Use",
  why: (count: number) => `${count.toLocaleString("en")} variable${count === 1 ? "" : "s"} picked from the device`,
} as const;
