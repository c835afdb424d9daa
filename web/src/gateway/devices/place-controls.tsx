// Controls of the fields that say where a value stands, for the forms of variables and of alarms.
import { choice, numberWithHint, s7Register } from "./controls";
import { isModbus } from "./fields";
import { offsetOf, tableOf } from "./modbus";
import { words } from "./words";

function addressHint(address: unknown): string | undefined {
  if (typeof address !== "number") {
    return undefined;
  }
  const table = tableOf(address);
  return table ? words.offset(words.tables[table.key], offsetOf(address) ?? 0) : words.noTable;
}

/** `onLeave`: the register address of an S7 is left; it may have been typed as the programming software writes it. */
export function placeControls(protocol: string, address: unknown, onLeave: () => void) {
  return {
    register_addr: isModbus(protocol) ? numberWithHint(addressHint(address)) : s7Register(words.s7Hint, onLeave),
    register_type: choice(["I", "Q", "M", "DB"]),
    ...(isModbus(protocol) ? {} : { register_bit: choice([0, 1, 2, 3, 4, 5, 6, 7]) }),
  };
}
