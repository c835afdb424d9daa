// What a page does with the bytes of a value: the readings themselves come from the gateway
// (GET /readings, GET /explain); here is what compares them with the device's own display. Pure.

export const ORDERS = ["abcd", "badc", "cdab", "dcba"] as const;
export type Order = (typeof ORDERS)[number];

/** Types of numbers by the bytes they take; a, the first byte, is the most significant. */
const TYPES = {
  2: ["WORD", "INT", "BCD"],
  4: ["DWORD", "DINT", "FLOAT", "BCD32"],
  8: ["ULONG", "LONG", "DOUBLE"],
} as const;

/** Bytes in one order and as one type, as the gateway reads them. */
export interface Reading {
  type: string;
  /** Of two bytes ab or ba; "" where it is of no meaning. */
  order: string;
  /** "" where the bytes are no value of the type. */
  text: string;
  /** How likely a measured value is: 0 nonsense, 1 possible, 2 what devices measure. */
  likely: number;
  /** Worth pointing at. */
  marked: boolean;
  /** What the configuration says. */
  configured: boolean;
  /** Type and order can be configured for the variable that was asked for. */
  settable: boolean;
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

/** Can a Modbus variable that is not saved yet be read like this? */
export const takeable = ({ type, order }: Reading) => widthOf(type) !== undefined && order !== "ba";

/** Does a reading show what stands on the device's own display, to the digits that stand there? */
export function matches({ text }: Pick<Reading, "text">, display: string): boolean {
  const wanted = display.trim().replace(",", ".");
  if (text === "" || wanted === "" || !Number.isFinite(Number(wanted))) {
    return false;
  }
  const places = wanted.split(".")[1]?.length ?? 0;
  return Math.abs(Number(text) - Number(wanted)) <= 0.5 * 10 ** -places + Math.abs(Number(wanted)) * 1e-9;
}

/** Does it show the number on the display with the decimal point elsewhere (scaled)? The power of ten. */
export function scaled({ text }: Pick<Reading, "text">, display: string): number | undefined {
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
