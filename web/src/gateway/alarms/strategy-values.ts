// Between an alarm of penstock.json and the form's fields: keys that do not apply are left out, so
// that a variable's own address and a quoted one never stand beside each other. Pure.
import type { Strategy } from "./condition";

/** Only with an address of its own. */
export const OWN_KEYS = [
  "register_type", "dbnumber", "namespace_index", "identifier_type", "identifier", "symbol", "register_addr", "data_type",
  "register_bit", "size", "float_repr", "unit", "desc",
] as const;
export const CONDITION_KEYS = ["hysteresis", "on_delay", "off_delay"] as const;

export type Values = Partial<Strategy>;

/** What the empty form has: Device Supervisor's defaults. */
export function fresh(group?: string): Values {
  return { group: group ?? "warning", quotes: 1, condition1: "Eq", operand1: "", combine_method: "None" };
}

const ALL = ["unit", "desc"];

/** Which of the own address' keys a data type has on a device of this protocol; in the order of the form. */
export function ownKeys(dataType: string | undefined, protocol: string): string[] {
  const real = dataType === "FLOAT" || dataType === "DOUBLE";
  const known = protocol === "OPCUA" || protocol === "EtherNet/IP" || protocol === "Simulator";
  const wanted = new Set<string>([
    ...placeKeys(protocol),
    ...(dataType === "BOOL" || dataType === "BIT" ? (known ? [] : ["register_bit"]) : []),
    ...(dataType === "STRING" || dataType === "S7STRING" ? ["size"] : []),
    ...(real || known ? ["float_repr"] : []),
    ...ALL,
  ]);
  return OWN_KEYS.filter((key) => wanted.has(key));
}

function placeKeys(protocol: string): string[] {
  switch (protocol) {
    case "ISO-on-TCP":
      return ["register_type", "dbnumber", "register_addr", "data_type"];
    case "OPCUA":
      return ["namespace_index", "identifier_type", "identifier"];
    case "EtherNet/IP":
    case "Simulator":
      return ["symbol"];
    default:
      return ["register_addr", "data_type"];
  }
}

const empty = (value: unknown) => value === undefined || value === null || value === "";

/** What is sent: the keys that apply and are filled in. */
export function strategyOf(values: Values, protocol: string): Values {
  const own = new Set<string>(ownKeys(values.data_type, protocol));
  const joined = values.combine_method === "And" || values.combine_method === "Or";
  const kept = Object.entries(values).filter(([key, value]) => {
    if (empty(value)) {
      return false;
    }
    if ((OWN_KEYS as readonly string[]).includes(key)) {
      return values.quotes === 0 && own.has(key);
    }
    return joined || (key !== "condition2" && key !== "operand2");
  });
  // Operands are texts in penstock.json; a condition without one is the server's to refuse.
  const text = (value: unknown) => (empty(value) ? "" : String(value));
  return {
    ...Object.fromEntries(kept),
    operand1: text(values.operand1),
    ...(joined ? { condition2: values.condition2 ?? "Eq", operand2: text(values.operand2) } : {}),
  };
}

/** Parts of the address of a strategy as the table shows it. */
export function target(strategy: Strategy, addressOf: (device: string, name: string) => string | undefined): string {
  if (strategy.quotes === 1) {
    const address = addressOf(strategy.device, strategy.var_name ?? "");
    return address ? `${strategy.var_name ?? ""} (${address})` : (strategy.var_name ?? "");
  }
  const named = [strategy.symbol, strategy.identifier].find((name) => !empty(name));
  if (named !== undefined) {
    return named;
  }
  const area = strategy.register_type ?? "";
  const block = area === "DB" ? `${strategy.dbnumber ?? 0}.` : "";
  const bit = strategy.data_type === "BOOL" && strategy.register_bit !== undefined ? `.${strategy.register_bit}` : "";
  return `${area}${block}${strategy.register_addr ?? ""}${bit}`;
}
