// Which variables are ticked: one by one, a range with Shift, all that are listed.
import { App } from "antd";
import { useCallback, useEffect, useRef, useState } from "react";
import { useDo } from "../../shared/parts";
import { allNames, type Row, type RowQuery } from "./calls";
import type { Rows } from "./use-rows";
import { words } from "./words";

/** One change of the configuration takes as many. */
export const TICKED_MOST = 5000;

export interface Ticked {
  names: ReadonlySet<string>;
  tick: (row: Row, index: number, ticked: boolean, range: boolean) => void;
  tickAll: (ticked: boolean) => void;
  clear: () => void;
}

export function useTicked(query: RowQuery, rows: Rows): Ticked {
  const [names, setNames] = useState<ReadonlySet<string>>(new Set());
  const from = useRef<number>(undefined);
  const { message } = App.useApp();
  const act = useDo();
  const { at } = rows;
  const clear = useCallback(() => setNames(new Set()), []);
  // Another device or search: what is ticked must be what one sees.
  useEffect(clear, [clear, query.device, query.search, query.quality]);

  const put = useCallback(
    (next: Set<string>) => {
      if (next.size > TICKED_MOST) {
        void message.warning(words.tooMany(TICKED_MOST));
      }
      setNames(new Set([...next].slice(0, TICKED_MOST)));
    },
    [message],
  );
  const tick = useCallback(
    (row: Row, index: number, ticked: boolean, range: boolean) => {
      const next = new Set(names);
      const begin = range && from.current !== undefined ? Math.min(from.current, index) : index;
      const end = range && from.current !== undefined ? Math.max(from.current, index) : index;
      for (let i = begin; i <= end; i++) {
        const name = i === index ? row.name : at(i)?.name;
        if (name !== undefined) {
          next[ticked ? "add" : "delete"](name);
        }
      }
      from.current = index;
      put(next);
    },
    [names, at, put],
  );
  const tickAll = (ticked: boolean) => {
    if (!ticked) {
      clear();
      return;
    }
    void act(async () => put(new Set(await allNames(query, TICKED_MOST + 1))));
  };
  return { names, tick, tickAll, clear };
}
