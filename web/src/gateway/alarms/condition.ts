// Conditions of alarms as people read them. Pure.

/** An alarm as it stands in penstock.json: src/model/tables_alarm.c. */
export interface Strategy {
  warn_name: string;
  group: string;
  /** 1: watches the variable `var_name`; 0: an address of its own. */
  quotes: number;
  device: string;
  var_name?: string;
  alarm_content?: string;
  condition1: string;
  operand1: string;
  combine_method?: string;
  condition2?: string;
  operand2?: string;
  hysteresis?: number;
  on_delay?: number;
  off_delay?: number;
  data_type?: string;
  register_addr?: number;
  register_type?: string;
  dbnumber?: number;
  symbol?: string;
  identifier?: string;
  identifier_type?: string;
  namespace_index?: number;
  register_bit?: number;
  float_repr?: number;
  size?: number;
  unit?: string;
  desc?: string;
}

export const SIGNS: Readonly<Record<string, string>> = {
  Eq: "=",
  Neq: "!=",
  Gt: ">",
  Gne: ">=",
  Lne: "<=",
  Lt: "<",
};

export const JOINS: Readonly<Record<string, string>> = { And: "&&", Or: "||" };

const sign = (code: string | undefined) => SIGNS[code ?? ""] ?? code ?? "?";

/** As Device Supervisor shows it: `> 30 && < 50`. */
export function conditionText(strategy: Strategy): string {
  const first = `${sign(strategy.condition1)} ${strategy.operand1}`;
  const join = JOINS[strategy.combine_method ?? ""];
  return join === undefined ? first : `${first} ${join} ${sign(strategy.condition2)} ${strategy.operand2 ?? ""}`;
}

/** `90` is 1 min 30 s. */
export function duration(seconds: number): string {
  const parts: [number, string][] = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
  ];
  let left = seconds;
  const said: string[] = [];
  for (const [size, unit] of parts) {
    const count = Math.floor(left / size);
    if (count > 0) {
      said.push(`${count} ${unit}`);
      left -= count * size;
    }
  }
  const rest = Math.round(left * 1000) / 1000;
  if (rest > 0 || said.length === 0) {
    said.push(`${rest} s`);
  }
  return said.join(" ");
}

/** What is wider by the hysteresis when it ends: `> 30` with 2 ends at 28 or below. */
function ends(code: string | undefined, operand: string, hysteresis: number): string {
  const limit = Number(operand);
  if (operand.trim() === "" || Number.isNaN(limit)) {
    return "";
  }
  const low = String(Number((limit - hysteresis).toPrecision(12)));
  const high = String(Number((limit + hysteresis).toPrecision(12)));
  switch (code) {
    case "Gt":
      return `<= ${low}`;
    case "Gne":
      return `< ${low}`;
    case "Lt":
      return `>= ${high}`;
    case "Lne":
      return `> ${high}`;
    case "Eq":
      return hysteresis > 0 ? `outside ${low} to ${high}` : `!= ${low}`;
    case "Neq":
      return `= ${String(limit)}`;
    default:
      return "";
  }
}

/** What the alarm does, in a sentence; "" while the form is not filled in. */
export function sentence(strategy: Partial<Strategy>): string {
  const { condition1, operand1 = "", combine_method: combine, condition2, operand2 = "", hysteresis = 0 } = strategy;
  const joined = JOINS[combine ?? ""] !== undefined;
  if (condition1 === undefined || operand1.trim() === "" || (joined && operand2.trim() === "")) {
    return "";
  }
  const what = strategy.var_name || "the value";
  const held = (seconds: number | undefined) => ((seconds ?? 0) > 0 ? ` for ${duration(seconds ?? 0)}` : "");
  const begins = conditionText({ condition2: "Eq", ...strategy } as Strategy);
  const first = ends(condition1, operand1, hysteresis);
  const second = joined ? ends(condition2 ?? "Eq", operand2, hysteresis) : "";
  const over = joined && first !== "" && second !== "" ? `${first} ${combine === "And" ? "||" : "&&"} ${second}` : joined ? "" : first;
  const until = over === "" ? "it no longer holds" : `it is ${over}`;
  return `Begins when ${what} is ${begins}${held(strategy.on_delay)}; ends when ${until}${held(strategy.off_delay)}.`;
}

/** 1 to 5, as Device Supervisor calls them. */
export const LEVELS = ["Remind", "Warning", "Secondary", "Important", "Serious"] as const;

export function levelName(level: number): string {
  return LEVELS[level - 1] ?? String(level);
}
