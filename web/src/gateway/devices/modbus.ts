// Written Modbus addresses, the types that fit them, and where the next variable stands. Pure.

export interface Table {
  key: "coils" | "discrete" | "input" | "holding";
  bits: boolean;
  writable: boolean;
  first: number;
  last: number;
}

/** As the gateway takes them: five digits for the first 10,000 items, six for all. */
export const RANGES: readonly Table[] = [
  { key: "coils", bits: true, writable: true, first: 1, last: 10000 },
  { key: "discrete", bits: true, writable: false, first: 10001, last: 20000 },
  { key: "input", bits: false, writable: false, first: 30001, last: 40000 },
  { key: "holding", bits: false, writable: true, first: 40001, last: 50000 },
  { key: "discrete", bits: true, writable: false, first: 100001, last: 165535 },
  { key: "input", bits: false, writable: false, first: 300001, last: 365535 },
  { key: "holding", bits: false, writable: true, first: 400001, last: 465535 },
];

export function tableOf(address: number | undefined | null): Table | undefined {
  return address === undefined || address === null
    ? undefined
    : RANGES.find(({ first, last }) => address >= first && address <= last);
}

/** What goes over the wire: counted from 0. */
export function offsetOf(address: number): number | undefined {
  const table = tableOf(address);
  return table && address - table.first;
}

export const isBit = (type: unknown) => type === "BOOL" || type === "BIT";
export const isReal = (type: unknown) => type === "FLOAT" || type === "DOUBLE";

/** Types that fit a place; all before there is an address. */
export function typesFor(address: number | undefined | null, all: readonly string[]): string[] {
  const table = tableOf(address);
  // A register has 16 bits: there is no value of eight.
  const registers = all.filter((type) => type !== "BYTE" && type !== "SINT");
  return table?.bits ? registers.filter(isBit) : registers;
}

/** "40003.1": the address with the bit of the register. */
export function shownAddress(address: number, bit: number | undefined | null, type: string): string {
  const text = String(address).padStart(5, "0");
  return isBit(type) && tableOf(address)?.bits === false && bit !== undefined && bit !== null && bit >= 0 ? `${text}.${bit}` : text;
}

/** How many registers, or bits, a value takes: where the next variable can stand. */
export function widthOf(type: string, size: number | undefined): number {
  switch (type) {
    case "DWORD":
    case "DINT":
    case "FLOAT":
    case "BCD32":
      return 2;
    case "DOUBLE":
    case "LONG":
    case "ULONG":
      return 4;
    case "STRING":
      return Math.ceil(Math.max(size ?? 1, 1) / 2);
    default:
      return 1;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** `object` without keys that its form does not ask, and without empty ones: those have their default. */
export function onlyAsked(object: Fields, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    keys.filter((key) => object[key] !== undefined && object[key] !== null && object[key] !== "").map((key) => [key, object[key]]),
  );
}

/** `Pump 9` after `Pump 8`, `t_010` after `t_009`; a name without a number gets one. */
export function nextName(name: string): string {
  const digits = /(\d+)$/.exec(name)?.[1];
  if (digits === undefined) {
    return `${name}_2`;
  }
  return name.slice(0, -digits.length) + (BigInt(digits) + 1n).toString().padStart(digits.length, "0");
}

/** What the form of the variable after this one begins with: the next name at the next address. */
export function nextVariable(variable: Fields): Record<string, unknown> {
  const type = String(variable["data_type"] ?? "");
  const address = variable["register_addr"] as number | undefined;
  const bit = variable["register_bit"] as number | undefined;
  const inRegister = isBit(type) && tableOf(address)?.bits === false;
  const stays = inRegister && bit !== undefined && bit < 15;
  return {
    ...variable,
    var_name: nextName(String(variable["var_name"] ?? "")),
    ...(address === undefined
      ? {}
      : { register_addr: stays ? address : address + widthOf(type, variable["size"] as number | undefined) }),
    ...(inRegister && bit !== undefined ? { register_bit: stays ? bit + 1 : 0 } : {}),
  };
}
