// Times of the history's filter, in the browser's zone. Pure but for the clock.

const DAY_S = 86_400;

/** Seconds of `days` ago, to the full minute: the same while one looks. */
export function dayAgo(days: number, now = Date.now() / 1000): number {
  return Math.floor((now - days * DAY_S) / 60) * 60;
}

/** As a field of type datetime-local has it. */
export function toInput(seconds: number | undefined): string {
  if (seconds === undefined || seconds <= 0) {
    return "";
  }
  const date = new Date(seconds * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function fromInput(text: string): number | undefined {
  const time = text === "" ? NaN : new Date(text).getTime();
  return Number.isNaN(time) ? undefined : time / 1000;
}
