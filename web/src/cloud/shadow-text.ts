// A shadow's document as it is read and as it is edited. Pure.

export interface ShadowDocument {
  state?: Record<string, unknown>;
  metadata?: unknown;
  version?: number;
  timestamp?: number;
}

/** The part that an update takes: desired and reported, without what the service derives (delta). */
export function editable(document: ShadowDocument | undefined): string {
  const { desired, reported } = document?.state ?? {};
  const state =
    document === undefined
      ? { desired: {} }
      : {
          ...(desired !== undefined ? { desired } : {}),
          ...(reported !== undefined ? { reported } : {}),
        };
  return JSON.stringify({ state }, null, 2);
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** `edited`, and null for each field of `before` that it no longer has: an update merges. */
function withRemovals(before: Tree, edited: Tree): Tree {
  const result: Tree = {};
  for (const key of Object.keys(before)) {
    if (!(key in edited)) {
      result[key] = null;
    }
  }
  for (const [key, value] of Object.entries(edited)) {
    const old = before[key];
    result[key] = isTree(old) && isTree(value) ? withRemovals(old, value) : value;
  }
  return result;
}

/** The update that makes the document what was edited. Its version refuses it when somebody else
 *  changed the shadow meanwhile. */
export function updateOf(document: ShadowDocument | undefined, edited: string): string {
  const wanted = JSON.parse(edited) as Tree;
  if (document === undefined || !isTree(wanted.state)) {
    return JSON.stringify(wanted);
  }
  const { desired, reported } = document.state ?? {};
  const before = { ...(isTree(desired) ? { desired } : {}), ...(isTree(reported) ? { reported } : {}) };
  return JSON.stringify({ version: document.version, ...wanted, state: withRemovals(before, wanted.state) });
}
