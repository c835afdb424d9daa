// Times as people read them: in the browser's zone, UTC when pointed at.
import { Tooltip } from "antd";
import { useEffect, useState } from "react";
import { ago, local, span, utc } from "./time-text";

/** A moment; `short` leaves the day out when it is today. */
export function When({ at, short = false, ms = false }: { at: number | null | undefined; short?: boolean; ms?: boolean }) {
  if (at === null || at === undefined || at <= 0) {
    return <span>–</span>;
  }
  return (
    <Tooltip title={utc(at)}>
      <time dateTime={new Date(at * 1000).toISOString()}>{local(at, { short, ms })}</time>
    </Tooltip>
  );
}

/** The moment as the clock stands, anew each second while it is shown. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** How long since a moment, going on by itself. */
export function Since({ at }: { at: number | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined || at <= 0) {
    return <span>–</span>;
  }
  return (
    <Tooltip title={`${local(at)} (${utc(at)})`}>
      <time dateTime={new Date(at * 1000).toISOString()}>{span(now - at)}</time>
    </Tooltip>
  );
}

export { ago, span };
