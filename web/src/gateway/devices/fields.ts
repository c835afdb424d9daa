// Which fields the forms of devices and variables have for each protocol, in Device Supervisor's
// order, and what new ones begin with. The gateway checks everything itself; this is so that a form
// asks only what counts. Pure.
import { isBit, isReal, nextName, nextVariable, tableOf, typesFor as modbusTypes } from "./modbus";
import { parseS7 } from "./s7-address";

type Fields = Readonly<Record<string, unknown>>;
type Draft = Record<string, unknown>;

/** How a ModbusRTU device is reached. */
export type Way = "serial" | "ip";

export const wayOf = (device: Fields): Way =>
  device["protocol"] === "ModbusRTU" && (device["ip"] ?? "") === "" ? "serial" : "ip";

export const isModbus = (protocol: unknown) => protocol === "ModbusTCP" || protocol === "ModbusRTU";

const PORTS: Record<string, number> = { ModbusTCP: 502, ModbusRTU: 502, "ISO-on-TCP": 102, OPCUA: 4840, "EtherNet/IP": 44818 };

const NETWORK = ["ip", "port"];

function authKeys(auth: unknown): string[] {
  return auth === "Username/Password" ? ["username", "password_file"] : auth === "Certificate" ? ["cert", "key"] : [];
}

function ownKeys(device: Fields, way: Way): { first: string[]; more: string[] } {
  switch (device["protocol"]) {
    case "ModbusTCP":
      return { first: [...NETWORK, "slave", "byte_order"], more: [] };
    case "ModbusRTU":
      return { first: [...(way === "serial" ? ["serial"] : NETWORK), "slave", "byte_order"], more: [] };
    case "ISO-on-TCP":
      return { first: [...NETWORK, "mode", ...(device["mode"] === "TSAP" ? ["client_tsap", "server_tsap"] : ["rack", "slot"])], more: [] };
    case "EtherNet/IP":
      return { first: NETWORK, more: ["slot", "route", "connected"] };
    case "OPCUA": {
      // Files may have ip and port instead.
      const place = (device["ip"] ?? "") !== "" && (device["url"] ?? "") === "" ? NETWORK : ["url"];
      return { first: [...place, "auth", ...authKeys(device["auth"]), "security_policy", "security_mode"], more: [] };
    }
    case "Simulator":
      return { first: [], more: [] };
    default:
      return { first: NETWORK, more: [] };
  }
}

/** Keys of the form of a device, in order; further settings stand behind. */
export function deviceKeys(device: Fields, way: Way): { first: string[]; more: string[] } {
  const own = ownKeys(device, way);
  const alarm = device["comm_alarm"] === true ? ["level", "group", "on_delay", "off_delay", "content"] : [];
  return {
    first: ["device_name", "protocol", ...own.first],
    more: [...own.more, "timeout", "comm_alarm", ...alarm.map((key) => `comm_alarm_${key}`)],
  };
}

/** A device of another protocol has its port, unless another one was chosen. */
export function withProtocol(before: Fields, after: Draft): Draft {
  const was = PORTS[String(before["protocol"])];
  const port = after["port"];
  const untouched = port === undefined || port === null || port === was;
  return before["protocol"] === after["protocol"] || !untouched ? after : { ...after, port: PORTS[String(after["protocol"])] };
}

export const portOf = (protocol: unknown): number | undefined => PORTS[String(protocol)];

// --- variables ----------------------------------------------------------------------------------

const BEGIN = { read_write: "read", mode: "realtime", group: "default" };

/** What the form of a new variable begins with. */
export function newVariable(protocol: string): Draft {
  if (isModbus(protocol)) {
    return { ...BEGIN, data_type: "WORD" };
  }
  return protocol === "ISO-on-TCP" ? { ...BEGIN, data_type: "WORD", register_type: "DB", dbnumber: 1 } : { ...BEGIN, data_type: "AUTO" };
}

const NOT_OF: Record<string, readonly string[]> = {
  "ISO-on-TCP": ["AUTO"],
  OPCUA: ["S7STRING", "BCD", "BCD32"],
  "EtherNet/IP": ["S7STRING", "BCD", "BCD32"],
};

/** Data types that a place of this protocol can have. */
export function typesFor(protocol: string, address: number | undefined | null, all: readonly string[]): string[] {
  if (isModbus(protocol)) {
    return modbusTypes(address, all.filter((type) => type !== "AUTO" && type !== "S7STRING"));
  }
  return all.filter((type) => !(NOT_OF[protocol] ?? []).includes(type));
}

/** Keys of a place: where a value of this protocol stands, and its type where somebody has to say it. */
export function placeKeys(variable: Fields, protocol: string): string[] {
  const type = variable["data_type"];
  const typed = type !== undefined && type !== "AUTO";
  switch (protocol) {
    case "ISO-on-TCP":
      return [
        "register_type",
        ...(variable["register_type"] === "DB" ? ["dbnumber"] : []),
        "register_addr",
        "data_type",
        ...(isBit(type) ? ["register_bit"] : []),
      ];
    case "EtherNet/IP":
    case "Simulator":
      return ["symbol", ...(typed ? ["data_type"] : [])]; // the controller says what it is
    case "OPCUA":
      return ["namespace_index", "identifier_type", "identifier", "array_index", "data_type"];
    default: {
      const bit = isBit(type) && tableOf(variable["register_addr"] as number | undefined)?.bits === false;
      return ["register_addr", "data_type", ...(bit ? ["register_bit"] : [])];
    }
  }
}

/** Keys of the form of a variable. */
export function variableKeys(variable: Fields, protocol: string): string[] {
  const type = variable["data_type"];
  return [
    "var_name",
    ...placeKeys(variable, protocol),
    ...(isReal(type) || type === "AUTO" ? ["float_repr"] : []),
    ...(type === "STRING" || type === "S7STRING" ? ["size"] : []),
    "read_write",
    "mode",
    "group",
    "unit",
    "desc",
  ];
}

/** `draft` with what follows from a change: a coil is a bit, an input cannot be written. */
export function following(draft: Draft, protocol: string): Draft {
  const next = { ...draft };
  if (protocol === "ISO-on-TCP" && next["register_type"] === "I") {
    next["read_write"] = "read";
  }
  const table = isModbus(protocol) ? tableOf(draft["register_addr"] as number | undefined) : undefined;
  if (table?.bits && !isBit(next["data_type"])) {
    next["data_type"] = "BOOL";
  }
  if (table && !table.writable && next["read_write"] !== "read") {
    next["read_write"] = "read";
  }
  return next;
}

/** A register address that was typed in S7 notation fills the fields it speaks of. */
export function settled(draft: Draft): Draft {
  const text = draft["register_addr"];
  const place = typeof text === "string" ? parseS7(text) : undefined;
  if (place === undefined) {
    return draft;
  }
  const { data_type, register_bit, ...rest } = place;
  const fits = data_type === undefined || (data_type === "BOOL") === isBit(draft["data_type"]);
  // WORD is only what the form began with; a type as wide as the notation is the better guess.
  const chosen = draft["data_type"] !== undefined && draft["data_type"] !== "WORD";
  const guess = !fits || !chosen ? (data_type ?? draft["data_type"]) : draft["data_type"];
  return { ...draft, ...rest, register_bit, data_type: guess };
}

// --- the next one -------------------------------------------------------------------------------

const S7_BYTES: Record<string, number> = {
  BYTE: 1, SINT: 1, DWORD: 4, DINT: 4, FLOAT: 4, BCD32: 4, DOUBLE: 8, LONG: 8, ULONG: 8,
};

/** Bytes that an S7 value takes; texts end at an even byte. */
function s7Bytes(type: string, size: unknown): number {
  const characters = typeof size === "number" ? size : 1;
  if (type === "STRING" || type === "S7STRING") {
    const bytes = characters + (type === "S7STRING" ? 2 : 0);
    return bytes + (bytes % 2);
  }
  return S7_BYTES[type] ?? 2;
}

/** What the form of the variable after this one begins with. */
export function nextOf(draft: Fields, protocol: string): Draft {
  const name = { var_name: nextName(String(draft["var_name"] ?? "")) };
  const address = draft["register_addr"];
  if (isModbus(protocol)) {
    return nextVariable(draft);
  }
  if (protocol !== "ISO-on-TCP" || typeof address !== "number") {
    return { ...draft, ...name };
  }
  const bit = draft["register_bit"];
  if (isBit(draft["data_type"]) && typeof bit === "number") {
    return { ...draft, ...name, ...(bit < 7 ? { register_bit: bit + 1 } : { register_addr: address + 1, register_bit: 0 }) };
  }
  return { ...draft, ...name, register_addr: address + s7Bytes(String(draft["data_type"]), draft["size"]) };
}
