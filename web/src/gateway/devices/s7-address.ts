// S7 places in the notation of the programming software, as the gateway takes them: what a person
// types into the register address fills the fields of a variable. Pure.

export interface S7Place {
  register_type: "I" | "Q" | "M" | "DB";
  dbnumber: number | undefined;
  register_addr: number;
  register_bit: number | undefined;
  /** As wide as the notation says: a first guess where no type is chosen. */
  data_type: "BOOL" | "BYTE" | "WORD" | "DWORD" | undefined;
}

const PLACE = /^%?(?:DB(\d{1,5})\.(?:DB(?=[XBWD]))?|([IEQAMV]))([XBWD]?)(\d{1,5})(?:\.([0-7]))?$/i;
const AREAS = { I: "I", E: "I", Q: "Q", A: "Q", M: "M", V: "DB" } as const;
const WIDTHS = { X: "BOOL", B: "BYTE", W: "WORD", D: "DWORD" } as const;
const MOST = 65535;

/** German letters (E, A) as well; V is DB1 of an S7-200 or LOGO!. */
export function parseS7(text: string): S7Place | undefined {
  const [, db, letter, width = "", byte, bit] = PLACE.exec(text.trim()) ?? [];
  if (byte === undefined || Number(byte) > MOST || (db !== undefined && (Number(db) < 1 || Number(db) > MOST))) {
    return undefined;
  }
  const wide = width !== "" && width.toUpperCase() !== "X";
  if (wide ? bit !== undefined : width !== "" && bit === undefined) {
    return undefined;
  }
  const area = letter?.toUpperCase() as keyof typeof AREAS | undefined;
  return {
    register_type: area === undefined ? "DB" : AREAS[area],
    dbnumber: db !== undefined ? Number(db) : area === "V" ? 1 : undefined,
    register_addr: Number(byte),
    register_bit: bit === undefined ? undefined : Number(bit),
    data_type: bit !== undefined ? "BOOL" : width === "" ? undefined : WIDTHS[width.toUpperCase() as keyof typeof WIDTHS],
  };
}
