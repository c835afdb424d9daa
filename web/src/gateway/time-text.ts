// Times and spans as text. Pure.

const two = (number: number) => String(number).padStart(2, "0");

const clock = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
const day = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** `YYYY-MM-DD HH:MM:SS` in the browser's zone. `short` leaves the day out when it is that of `now`. */
export function local(seconds: number, { short = false, ms = false, now = new Date() } = {}): string {
  const date = new Date(seconds * 1000);
  const time = clock(date) + (ms ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "");
  return short && day(date) === day(now) ? time : `${day(date)} ${time}`;
}

export function utc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} UTC`;
}

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A span in its two largest units: `3 d 4 h`, `12 min 5 s`, `0 s`. */
export function span(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || (size === 1 && parts.length === 0)) {
      parts.push(`${count} ${unit}`);
    } else if (parts.length > 0) {
      break;
    }
  }
  return parts.slice(0, 2).join(" ");
}

export function ago(at: number, now: number): string {
  return `${span(now - at)} ago`;
}
