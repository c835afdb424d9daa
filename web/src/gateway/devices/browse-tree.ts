// What is open of a device's tree, and the variables made of what was picked. Pure.
import type { Browsed, BrowseNode } from "./calls";

/** What was loaded inside one node; a folder may be long, then there is more behind `next`. */
export interface Inside {
  nodes: readonly BrowseNode[];
  next: string;
}

/** By node; the top is "". */
export type Loaded = ReadonlyMap<string, Inside>;

export interface Line {
  node: BrowseNode;
  depth: number;
  /** Tells lines apart: a server may show one node in several places. */
  key: string;
}

/** A page more of what is inside a node. */
export function withPage(loaded: Loaded, node: string, page: Browsed, follows: boolean): Loaded {
  const before = follows ? (loaded.get(node)?.nodes ?? []) : [];
  return new Map(loaded).set(node, { nodes: [...before, ...page.nodes], next: page.next });
}

/** Servers point back at what one came from, so lines are opened by their key. */
export function linesOf(loaded: Loaded, open: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  const put = (node: string, depth: number, above: string) => {
    for (const one of loaded.get(node)?.nodes ?? []) {
      const key = `${above}\n${one.node === "" ? one.name : one.node}`;
      lines.push({ node: one, depth, key });
      if (open.has(key)) {
        put(one.node, depth + 1, key);
      }
    }
  };
  put("", 0, "");
  return lines;
}

/** Lines with the text in name or address, and the folders they are in. */
export function matching(lines: readonly Line[], search: string): Line[] {
  const wanted = search.trim().toLowerCase();
  if (wanted === "") {
    return [...lines];
  }
  const found = lines.filter(({ node }) => node.name.toLowerCase().includes(wanted) || node.address.toLowerCase().includes(wanted));
  return lines.filter((line) => found.some((one) => one === line || one.key.startsWith(`${line.key}\n`)));
}

/** One value of one type: otherwise it is to be opened. */
export const pickable = ({ address, data_type }: BrowseNode) => address !== "" && data_type !== "";

/** What a variable of it is called at first; an element alone would be called [3]. */
export const nameOf = ({ name, address }: BrowseNode) => (name.startsWith("[") ? address : name);

/** A name that no other variable has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let i = 2; taken.has(free); i++) {
    free = `${name}_${i}`;
  }
  return free;
}

export interface Picked {
  node: BrowseNode;
  name: string;
}

/** Those of what is picked whose name is missing or there twice. */
export function wrongNames(picked: readonly Picked[], taken: ReadonlySet<string>): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { name } of picked) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Set(picked.filter(({ name }) => name.trim() === "" || taken.has(name) || (counts.get(name) ?? 0) > 1).map(({ node }) => node.address));
}

export interface How {
  device: string;
  group: string;
  /** The key of a variable that takes the address. */
  key: string;
  writable: boolean;
}

/** A variable of penstock.json; its type is the device's own. */
export function variableOf({ node, name }: Picked, { device, group, key, writable }: How): Record<string, unknown> {
  const writes = node.writable && (writable || !node.readable);
  const access = !node.readable ? "write" : writes ? "read/write" : "read";
  return { var_name: name.trim(), device, group, data_type: "AUTO", read_write: access, [key]: node.address };
}
