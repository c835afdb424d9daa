// What the overview says of lines: how busy each is, and who is left alone behind it. Pure.
import type { LineStatus } from "../status";
import { rateText } from "./figures";
import { words } from "./words";

/** From here on a request that is sent again makes a cycle late: PS_LOAD_CLOSE of the gateway. */
export const CLOSE = 0.8;

export type Tone = "good" | "warn" | "bad" | "calm";

export function toneOf({ load, state, devices, devices_away }: LineStatus): Tone {
  if (state === "away" || (devices > 0 && devices_away === devices) || load > 1) {
    return "bad";
  }
  return load > CLOSE || devices_away > 0 ? "warn" : state === "connected" ? "good" : "calm";
}

/** The busiest first; of those that are alike, in the order of their names. */
export function sorted(lines: LineStatus[]): LineStatus[] {
  return [...lines].sort((a, b) => b.load - a.load || a.name.localeCompare(b.name, "en", { numeric: true }));
}

export function percentText(load: number): string {
  const percent = load * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

const msText = (ms: number) => (ms < 1000 ? `${rateText(ms)} ms` : `${rateText(ms / 1000)} s`);

/** The group that takes most, with its cycle beside its interval; "" before one was measured. */
export function busiestText({ busiest }: LineStatus): string {
  return busiest ? words.mostly(busiest.group, msText(busiest.cycle_ms), `${Number(busiest.interval_s.toPrecision(6))} s`) : "";
}

/** What a bar says to those who do not see it. */
export const barText = (line: LineStatus) => words.bar(line.name, percentText(line.load));

/** Of all lines: how many are near their limit or above it, and how many devices are left alone. */
export function summaryOf(lines: LineStatus[]): { busy: number; alone: number } {
  return {
    busy: lines.filter(({ load }) => load > CLOSE).length,
    alone: lines.reduce((sum, { devices_away }) => sum + devices_away, 0),
  };
}
