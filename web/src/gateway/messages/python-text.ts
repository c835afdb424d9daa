// What a script says about its data, read line by line: good enough to complete names, and never
// wrong about more than an offer. Pure.

/** One step into a nested dict: a key, or any of them. */
export type Step = string | null;

/** A path from `data_collect`: ["values", null, "Level"] is values of any device, variable Level. */
export type Path = Step[];

/** Lines looked at before the cursor; scripts are shorter. */
const LINES_MOST = 2000;
/** A name that stands for a name that stands for ... */
const DEPTH_MOST = 8;

const NAME = "[A-Za-z_]\\w*";
const KEY = `\\[\\s*(?:"[^"\\n]*"|'[^'\\n]*'|${NAME}|-?\\d+)\\s*\\]|\\.get\\(\\s*(?:"[^"\\n]*"|'[^'\\n]*'|${NAME})\\s*(?:,[^()\\n]*)?\\)`;
const CHAIN = `${NAME}(?:${KEY})*`;
const ASSIGN = new RegExp(`^\\s*(${NAME})\\s*=\\s*(${CHAIN})\\s*(?:#.*)?$`);
const ITEMS = new RegExp(`\\bfor\\s+\\(?\\s*(${NAME})\\s*,\\s*(${NAME})\\s*\\)?\\s+in\\s+(${CHAIN})\\.items\\(\\s*\\)`);
const VALUES = new RegExp(`\\bfor\\s+(${NAME})\\s+in\\s+(${CHAIN})\\.values\\(\\s*\\)`);
const FUNCTION = new RegExp(`^\\s*def\\s+(${NAME})\\s*\\(([^()]*)\\)?`);

/** Names of a function's parameters; undefined when there is no such function. */
export function parametersOf(text: string, name: string): string[] | undefined {
  for (const line of text.split("\n").slice(0, LINES_MOST)) {
    const found = FUNCTION.exec(line);
    if (found?.[1] === name) {
      return (found[2] ?? "")
        .split(",")
        .map((part) => /^[\s*]*([A-Za-z_]\w*)/.exec(part)?.[1] ?? "")
        .filter((part) => part !== "");
    }
  }
  return undefined;
}

/** The functions a text defines, in its order. */
export function functionsOf(text: string): string[] {
  const names = text
    .split("\n")
    .slice(0, LINES_MOST)
    .flatMap((line) => (/^def\b/.test(line) ? (FUNCTION.exec(line)?.[1] ?? []) : []));
  return [...new Set(names)];
}

/** The name a chain begins with, and the steps behind it. */
export function chainOf(text: string): { name: string; steps: Path } | undefined {
  const name = /^[A-Za-z_]\w*/.exec(text)?.[0];
  if (name === undefined) {
    return undefined;
  }
  const steps = [...text.slice(name.length).matchAll(new RegExp(KEY, "g"))].map(
    ([step]) => /"([^"]*)"|'([^']*)'/.exec(step)?.slice(1).find((key) => key !== undefined) ?? null,
  );
  return { name, steps };
}

/** What each name of the text before the cursor stands for: the newest meaning holds. */
function meanings(lines: string[]): Map<string, { name: string; steps: Path }> {
  const found = new Map<string, { name: string; steps: Path }>();
  const learn = (name: string | undefined, text: string | undefined, more: Path) => {
    const chain = chainOf(text ?? "");
    if (name !== undefined && chain && chain.name !== name) {
      found.set(name, { name: chain.name, steps: [...chain.steps, ...more] });
    }
  };
  for (const line of lines) {
    const assign = ASSIGN.exec(line);
    const items = ITEMS.exec(line);
    const values = VALUES.exec(line);
    if (assign) {
      learn(assign[1], assign[2], []);
    }
    if (items) {
      learn(items[2], items[3], [null]);
    }
    if (values) {
      learn(values[1], values[2], [null]);
    }
  }
  return found;
}

/** The path from `root` that a chain stands for; undefined when it is something else. */
export function pathOf(before: string, chain: string, root: string): Path | undefined {
  const known = meanings(before.split("\n").slice(-LINES_MOST));
  let now = chainOf(chain);
  for (let depth = 0; now && depth < DEPTH_MOST; depth++) {
    if (now.name === root) {
      return now.steps;
    }
    const meant: { name: string; steps: Path } | undefined = known.get(now.name);
    now = meant && { name: meant.name, steps: [...meant.steps, ...now.steps] };
  }
  return undefined;
}

const OPEN_KEY = new RegExp(`(${CHAIN})(?:\\[\\s*|\\.get\\(\\s*)(["'])([^"'\\n]*)$`);
const OPEN_NAME = new RegExp(`(${NAME})\\.(\\w*)$`);

/** `chain["part` at the end of the text: a key that is being typed. */
export function openKey(before: string): { chain: string; quote: string; part: string } | undefined {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const found = OPEN_KEY.exec(line);
  return found ? { chain: found[1] ?? "", quote: found[2] ?? "", part: found[3] ?? "" } : undefined;
}

/** `name.part` at the end of the text: a method that is being typed. */
export function openMethod(before: string): { name: string; part: string } | undefined {
  const found = OPEN_NAME.exec(before.slice(before.lastIndexOf("\n") + 1));
  return found ? { name: found[1] ?? "", part: found[2] ?? "" } : undefined;
}
