// Between an alarm of penstock.json and the form's fields: keys that do not apply are left out, so
// that a variable's own address and a quoted one never stand beside each other. Pure.
import { placeKeys, settled, typesFor } from "../devices/fields";
import { isReal } from "../devices/modbus";
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

/** Which of the own address' keys count for what is filled in, on a device of this protocol; in the order of Device List. */
export function ownKeys(values: Values, protocol: string): string[] {
  const type = values.data_type;
  // Without a type the device says what it is, which may be a real number.
  const untyped = (type ?? "AUTO") === "AUTO" && typesFor(protocol, undefined, ["AUTO"]).includes("AUTO");
  const text = type === "STRING" || type === "S7STRING";
  const wanted = [...placeKeys(values, protocol), ...(text ? ["size"] : []), ...(untyped || isReal(type) ? ["float_repr"] : []), "unit", "desc"];
  return wanted.filter((key) => (OWN_KEYS as readonly string[]).includes(key));
}

/** An address that was typed in S7 notation fills the fields it speaks of. */
export const settledOwn = (values: Values): Values => settled(values as Record<string, unknown>);

const empty = (value: unknown) => value === undefined || value === null || value === "";

/** What is sent: the keys that apply and are filled in. */
export function strategyOf(values: Values, protocol: string): Values {
  const own = new Set<string>(ownKeys(values, protocol));
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
