// The bytes of a value, read in every byte order and as every type: what a person needs who sees
// nonsense where a temperature should be. Pure.

export const ORDERS = ["abcd", "badc", "cdab", "dcba"] as const;
export type Order = (typeof ORDERS)[number];

/** Types of numbers by the bytes they take; a, the first byte, is the most significant. */
const TYPES = {
  2: ["WORD", "INT", "BCD"],
  4: ["DWORD", "DINT", "FLOAT", "BCD32"],
  8: ["ULONG", "LONG", "DOUBLE"],
} as const;

export type NumberType = (typeof TYPES)[keyof typeof TYPES][number];

export interface Reading {
  type: NumberType;
  /** Of no meaning for one register. */
  order: Order;
  /** As the gateway would show it; "" where the bytes are no value of the type. */
  text: string;
  /** How likely a measured value is: 0 nonsense, 1 possible, 2 what devices measure. */
  likely: 0 | 1 | 2;
}

export function widthOf(type: string): 2 | 4 | 8 | undefined {
  return ([2, 4, 8] as const).find((width) => (TYPES[width] as readonly string[]).includes(type));
}

export const isOrder = (word: unknown): word is Order => (ORDERS as readonly unknown[]).includes(word);

/**
 * Bytes with the most significant first, as an order puts them on the wire; and back, since each
 * order undoes itself. badc swaps the bytes of each register, cdab turns the registers round, dcba
 * does both. One register is sent high byte first in all of them.
 */
export function arranged(bytes: Uint8Array, order: Order): Uint8Array {
  if (bytes.length < 4) {
    return bytes.slice();
  }
  const swap = order === "badc" || order === "dcba";
  const turn = order === "cdab" || order === "dcba";
  const registers = bytes.length / 2;
  return bytes.map((_, i) => {
    const register = turn ? registers - 1 - (i >> 1) : i >> 1;
    return bytes[register * 2 + (swap ? 1 - (i & 1) : i & 1)] ?? 0;
  });
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function bcd(bytes: Uint8Array): string {
  const digits = hexOf(bytes).replace(/ /g, "");
  return /^[0-9]+$/.test(digits) ? String(Number(digits)) : "";
}

/** The shortest digits that give the same 32-bit number: 0.1 and not 0.10000000149011612. */
function shortest(number: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number(number.toPrecision(digits)));
    if (Math.fround(Number(text)) === number) {
      return text;
    }
  }
  return String(number);
}

/** What bytes, the most significant first, say as this type. */
export function decoded(type: NumberType, bytes: Uint8Array): string {
  const data = view(bytes);
  switch (type) {
    case "WORD":
      return String(data.getUint16(0));
    case "INT":
      return String(data.getInt16(0));
    case "DWORD":
      return String(data.getUint32(0));
    case "DINT":
      return String(data.getInt32(0));
    case "ULONG":
      return String(data.getBigUint64(0));
    case "LONG":
      return String(data.getBigInt64(0));
    case "BCD":
    case "BCD32":
      return bcd(bytes);
    case "FLOAT":
      return Number.isFinite(data.getFloat32(0)) ? shortest(data.getFloat32(0)) : "";
    case "DOUBLE":
      return Number.isFinite(data.getFloat64(0)) ? String(data.getFloat64(0)) : "";
  }
}

function integer(text: string): bigint | undefined {
  return /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

/** The bytes of a value, the most significant first; undefined when it has none. */
export function encoded(type: string, text: string): Uint8Array | undefined {
  const width = widthOf(type);
  if (width === undefined || text.trim() === "") {
    return undefined;
  }
  const bytes = new Uint8Array(width);
  const number = Number(text);
  if (type === "FLOAT" || type === "DOUBLE") {
    if (!Number.isFinite(number)) {
      return undefined;
    }
    if (width === 4) {
      view(bytes).setFloat32(0, number);
    } else {
      view(bytes).setFloat64(0, number);
    }
    return bytes;
  }
  const whole = type.startsWith("BCD") ? (/^\d+$/.test(text) ? BigInt(`0x${text}`) : undefined) : integer(text);
  if (whole === undefined) {
    return undefined;
  }
  for (let i = 0; i < width; i++) {
    bytes[width - 1 - i] = Number((whole >> BigInt(8 * i)) & 0xffn);
  }
  return bytes;
}

export const hexOf = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");

/** Bytes of a text such as "41B40000" or "41 B4"; undefined when it is none. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s/g, "");
  return digits.length > 0 && digits.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(digits)
    ? Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16))
    : undefined;
}

/** Digits behind the point that mean something. */
function decimals(number: number): number {
  const text = number.toString();
  return text.includes("e-") ? 20 : (text.split(".")[1]?.length ?? 0);
}

function likelyFloat(text: string): Reading["likely"] {
  const number = Number(text);
  const size = Math.abs(number);
  if (text === "" || (size !== 0 && (size < 1e-6 || size > 1e12))) {
    return 0;
  }
  return size === 0 || (size >= 1e-3 && size < 1e7 && (decimals(number) <= 5 || size >= 0.1)) ? 2 : 1;
}

/** Counts and meter readings are far from the ends of their type. */
function likelyInteger(type: NumberType, text: string): Reading["likely"] {
  if (text === "") {
    return 0;
  }
  const size = Math.abs(Number(text));
  if (type === "WORD" || type === "INT" || type === "BCD") {
    return size < 20_000 ? 2 : 1;
  }
  return size < 1e7 ? 2 : size < 1e9 ? 1 : 0;
}

function reading(type: NumberType, order: Order, wire: Uint8Array): Reading {
  const text = decoded(type, arranged(wire, order));
  const isFloat = type === "FLOAT" || type === "DOUBLE";
  return { type, order, text, likely: isFloat ? likelyFloat(text) : likelyInteger(type, text) };
}

/** All readings of the bytes that came over the wire, of each type that they are enough for. */
export function readings(wire: Uint8Array): Reading[] {
  return ([2, 4, 8] as const).flatMap((width) => {
    if (wire.length < width) {
      return [];
    }
    const bytes = wire.slice(0, width);
    return TYPES[width].flatMap((type) =>
      (width === 2 ? (["abcd"] as const) : ORDERS).map((order) => reading(type, order, bytes)),
    );
  });
}

/**
 * Those worth pointing at. One register leaves no choice. A FLOAT with few digits behind the point
 * hardly comes about by chance; where there is one, whole numbers are not pointed at.
 */
export function likelyOnes(all: readonly Reading[]): ReadonlySet<Reading> {
  const wide = all.filter(({ type, likely, text }) => likely === 2 && widthOf(type) !== 2 && Number(text) !== 0);
  const reals = wide.filter(({ type }) => type === "FLOAT" || type === "DOUBLE");
  return new Set(reals.length > 0 ? reals : wide);
}

/** Does a reading show what stands on the device's own display, to the digits that stand there? */
export function matches({ text }: Reading, display: string): boolean {
  const wanted = display.trim().replace(",", ".");
  if (text === "" || wanted === "" || !Number.isFinite(Number(wanted))) {
    return false;
  }
  const places = wanted.split(".")[1]?.length ?? 0;
  return Math.abs(Number(text) - Number(wanted)) <= 0.5 * 10 ** -places + Math.abs(Number(wanted)) * 1e-9;
}

/** Does it show the number on the display with the decimal point elsewhere (scaled)? The power of ten. */
export function scaled({ text }: Reading, display: string): number | undefined {
  const wanted = Number(display.trim().replace(",", "."));
  const number = Number(text);
  if (text === "" || !Number.isFinite(wanted) || wanted === 0 || number === 0 || display.trim() === "") {
    return undefined;
  }
  const power = Math.round(Math.log10(number / wanted));
  return power !== 0 && Math.abs(power) <= 4 && Math.abs(number / 10 ** power - wanted) < 1e-9 * Math.abs(wanted)
    ? power
    : undefined;
}
