// Live values of the rows in view: asked for as soon as the view stands still for a moment.
import { useEffect, useMemo, useRef, useState } from "react";
import { useEvents, type Watched } from "../events";
import { keyOf as keyOfWatched } from "../watches";
import type { Row } from "./calls";
import type { Live } from "./value-cell";

/** While one scrolls nothing is watched anew. */
const STILL_MS = 150;

export const keyOf = ({ device, name }: Pick<Row, "device" | "name">) => keyOfWatched([device, name]);

/** The value once it has stayed the same, as `same` says, for a moment. */
function useStill<T>(value: T, same: string): T {
  const [still, setStill] = useState(value);
  const newest = useRef(value);
  newest.current = value;
  useEffect(() => {
    const timer = setTimeout(() => setStill(newest.current), STILL_MS);
    return () => clearTimeout(timer);
  }, [same]);
  return still;
}

/** Newest values by key, of those rows that have got one since they came into view. */
export function useLive(rows: readonly Row[]): ReadonlyMap<string, Live> {
  const names = rows.map(({ device, name }): Watched => [device, name]);
  const still = useStill(names, names.map(keyOfWatched).join("\u0001"));
  const wanted = useMemo(() => new Set(still.map(keyOfWatched)), [still]);
  const [live, setLive] = useState<ReadonlyMap<string, Live>>(new Map());
  useEvents(
    { watch: still },
    {
      onValues: (values) =>
        setLive((was) => {
          // What has gone out of view is let go of with the next values.
          const next = new Map([...was].filter(([key]) => wanted.has(key)));
          values.forEach((value) => next.set(keyOf(value), value));
          return next;
        }),
    },
  );
  return live;
}
