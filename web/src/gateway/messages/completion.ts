// What is offered while a script is typed: methods of wizard_api, keys of data_collect, and the
// names of real devices, variables and alarms. Pure; the editor asks it.
import { chainOf, openKey, openMethod, parametersOf, type Path, pathOf } from "./python-text";
import { ALARM_KEYS, METHODS, MODULES, TOP_KEYS, VALUE_KEYS } from "./wizard-api";

/** The names that data_collect of the chosen groups has. */
export interface Names {
  type: "collect" | "alarm";
  devices: { name: string; variables: { name: string; about: string; writable?: boolean }[] }[];
  alarms: { name: string; about: string }[];
}

export const NO_NAMES: Names = { type: "collect", devices: [], alarms: [] };

export interface Script {
  kind: "publish" | "subscribe";
  mainFunction: string;
  /** The cloud is AWS IoT: awsiot_publish is there. */
  aws: boolean;
  names: Names;
}

export interface Offer {
  label: string;
  kind: "method" | "key" | "device" | "variable" | "alarm" | "module";
  /** Shown behind the label. */
  detail: string;
  info: string;
  /** Put in for the label; `#{name}` is a place to type at. */
  template?: string;
}

export interface Offers {
  /** Where in the text the part that is replaced begins. */
  from: number;
  offers: Offer[];
}

/** More are not shown at once; who has more types a part. */
const OFFERS_MOST = 500;

const keys = (list: readonly { name: string; help: string }[]): Offer[] =>
  list.map(({ name, help }) => ({ label: name, kind: "key", detail: "", info: help }));

function variables(names: Names, device: string | null): Offer[] {
  const seen = new Set<string>();
  return names.devices
    .filter(({ name }) => device === null || name === device)
    .flatMap(({ name: of, variables: list }) => list.map((one) => ({ ...one, of })))
    .filter(({ name }) => !seen.has(name) && seen.add(name))
    .map(({ name, about, of }) => ({ label: name, kind: "variable", detail: about, info: of }));
}

const devices = (names: Names): Offer[] =>
  names.devices.map(({ name, variables: list }) => ({
    label: name,
    kind: "device",
    detail: "",
    info: list
      .slice(0, 8)
      .map((one) => one.name)
      .join(", "),
  }));

/** The keys behind a path from data_collect. */
export function keysAt(path: Path, names: Names): Offer[] {
  const [first, second, ...rest] = path;
  if (path.length === 0) {
    return keys(TOP_KEYS);
  }
  if (first !== "values") {
    return [];
  }
  if (names.type === "alarm") {
    return path.length === 1
      ? names.alarms.map(({ name, about }) => ({ label: name, kind: "alarm", detail: "", info: about }))
      : path.length === 2
        ? keys(ALARM_KEYS)
        : [];
  }
  if (path.length === 1) {
    return devices(names);
  }
  if (rest.length === 0) {
    return variables(names, second ?? null);
  }
  return rest.length === 1 ? keys(VALUE_KEYS) : [];
}

/** The brace that is open at the end of the text, and the key it belongs to; undefined: none is. */
function openBraces(text: string): { key: string | undefined }[] {
  const stack: { key: string | undefined }[] = [];
  let last: string | undefined;
  for (const [piece, double, single] of text.matchAll(/"([^"\n]*)"|'([^'\n]*)'|[{}]/g)) {
    if (piece === "{") {
      stack.push({ key: last });
    } else if (piece === "}") {
      stack.pop();
    } else {
      last = double ?? single;
    }
  }
  return stack;
}

const WRITE_LOOK_BACK = 2000;

/** `write_plc_values({"part`: names that can be written. */
function writeOffers(before: string, names: Names): Offers | undefined {
  const near = before.slice(-WRITE_LOOK_BACK);
  const call = near.lastIndexOf("write_plc_values(");
  const part = /([{,]\s*)(["'])([^"'\n]*)$/.exec(near);
  if (call < 0 || !part || part.index < call) {
    return undefined;
  }
  const inside = openBraces(near.slice(call, part.index + 1));
  const writable: Names = {
    ...names,
    devices: names.devices
      .map((one) => ({ ...one, variables: one.variables.filter(({ writable: yes }) => yes !== false) }))
      .filter(({ variables: list }) => list.length > 0),
  };
  const offers =
    inside.length === 1
      ? [...variables(writable, null), ...devices(writable)]
      : inside.length === 2
        ? variables(writable, inside[1]?.key ?? null)
        : [];
  return { from: before.length - (part[3] ?? "").length, offers };
}

function moduleOffers(before: string): Offers | undefined {
  const part = /(?:^|\n)\s*(?:import|from)\s+([\w.]*)$/.exec(before)?.[1];
  return part === undefined
    ? undefined
    : {
        from: before.length - part.length,
        offers: MODULES.map(({ name, help }) => ({ label: name, kind: "module", detail: "", info: help })),
      };
}

/** The names of the entry function's data and api parameters, as the script has them. */
export function parameters(text: string, script: Script): { data: string; api: string[] } {
  const found = parametersOf(text, script.mainFunction) ?? [];
  const usual = script.kind === "publish" ? 2 : 3;
  const last = found.length >= usual ? found[usual - 1] : undefined;
  return {
    data: script.kind === "publish" ? (found[0] ?? "data_collect") : "",
    api: ["wizard_api", ...(last !== undefined && last !== "wizard_api" ? [last] : [])],
  };
}

function methodOffers(before: string, api: string[], aws: boolean): Offers | undefined {
  const typed = openMethod(before);
  if (!typed || !api.includes(typed.name)) {
    return undefined;
  }
  return {
    from: before.length - typed.part.length,
    offers: METHODS.filter((method) => aws || !method.aws).map(({ name, signature, help, template }) => ({
      label: name,
      kind: "method",
      detail: signature.slice(name.length),
      info: help,
      template,
    })),
  };
}

/** What is offered at a place of the text; undefined: nothing of ours. */
export function offersAt(text: string, at: number, script: Script): Offers | undefined {
  const before = text.slice(0, at);
  const { data, api } = parameters(text, script);
  const methods = methodOffers(before, api, script.aws);
  if (methods) {
    return methods;
  }
  const typed = openKey(before);
  if (typed && data !== "" && chainOf(typed.chain)) {
    const path = pathOf(before.slice(0, before.lastIndexOf("\n") + 1), typed.chain, data);
    const offers = path ? keysAt(path, script.names).slice(0, OFFERS_MOST) : [];
    if (offers.length > 0) {
      return { from: at - typed.part.length, offers };
    }
  }
  const writes = writeOffers(before, script.names);
  if (writes) {
    return { ...writes, offers: writes.offers.slice(0, OFFERS_MOST) };
  }
  return moduleOffers(before);
}

/**
 * A key is closed as it was begun: `data_collect["va` becomes `data_collect["values"]`. `before` ends
 * with the quote, `behind` is what follows: `eat` characters of it are part of the text.
 */
export function closedKey(before: string, behind: string, label: string): { text: string; eat: number } {
  const quote = before.slice(-1);
  const end = /\[\s*["']$/.test(before) ? `${quote}]` : quote;
  const eat = behind.startsWith(end) ? end.length : behind.startsWith(quote) ? 1 : 0;
  const escaped = label.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`);
  return { text: escaped + end, eat };
}

/** The signature of the method whose call is open at the end of the text. */
export function signatureAt(before: string, api: string[]): string | undefined {
  const found = /([A-Za-z_]\w*)\.(\w+)\([^()\n]*$/.exec(before);
  return found && api.includes(found[1] ?? "") ? METHODS.find(({ name }) => name === found[2])?.signature : undefined;
}
