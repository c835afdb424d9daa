// Between an alarm of penstock.json and the form's fields: keys that do not apply are left out, so
// that a variable's own address and a quoted one never stand beside each other. Pure.
import type { Strategy } from "./condition";

/** Only with an address of its own. */
export const OWN_KEYS = ["data_type", "register_addr", "register_bit", "size", "float_repr", "unit", "desc"] as const;
export const CONDITION_KEYS = ["hysteresis", "on_delay", "off_delay"] as const;

export type Values = Partial<Strategy>;

/** What the empty form has: Device Supervisor's defaults. */
export function fresh(group?: string): Values {
  return { group: group ?? "warning", quotes: 1, condition1: "Eq", operand1: "", combine_method: "None" };
}

/** Which of the own address' keys a data type has. */
export function ownKeys(dataType: string | undefined): string[] {
  const bit = dataType === "BOOL" || dataType === "BIT";
  const text = dataType === "STRING";
  const float = dataType === "FLOAT" || dataType === "DOUBLE";
  return OWN_KEYS.filter((key) =>
    key === "register_bit" ? bit : key === "size" ? text : key === "float_repr" ? float : true,
  );
}

const empty = (value: unknown) => value === undefined || value === null || value === "";

/** What is sent: the keys that apply and are filled in. */
export function strategyOf(values: Values): Values {
  const own = new Set<string>(ownKeys(values.data_type));
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
  const bit = strategy.data_type === "BOOL" && strategy.register_bit !== undefined ? `.${strategy.register_bit}` : "";
  return `${strategy.register_addr ?? ""}${bit}`;
}
