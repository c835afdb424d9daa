// The variables of a query as the table shows them: pages come as one scrolls to them, old rows
// stay until the new ones are there.
import { useCallback, useEffect, useRef, useState } from "react";
import { LostError } from "../../shared/api";
import { useConnection } from "../../shared/connection";
import { useRevision } from "../revision-store";
import { listRows, type Row, type RowQuery } from "./calls";
import { type Held, nothing, pagesOf, rowAt, withPage } from "./pages";

export interface Rows {
  total: number;
  /** False until the first answer to this query. */
  known: boolean;
  error: Error | undefined;
  at: (index: number) => Row | undefined;
  /** These rows are on the screen: they will be there soon. */
  show: (first: number, last: number) => void;
  /** Everything anew: something was changed. */
  reload: () => void;
}

interface State {
  held: Held<Row>;
  /** The question that `held` answers. */
  round: number;
  error?: Error;
}

export function useRows(query: RowQuery, size: number): Rows {
  const { device, search, quality, sort } = query;
  const connection = useConnection().round;
  const revision = useRevision();
  const [state, setState] = useState<State>({ held: nothing(size), round: -1 });
  const [round, setRound] = useState(0);
  /** The newest question, and which of its pages are on their way. */
  const asked = useRef({ round: -1, under: new Set<number>() });
  const view = useRef<[number, number]>([0, 0]);

  const load = useCallback(
    (page: number) => {
      const { round: mine, under } = asked.current;
      under.add(page);
      const isNewest = () => asked.current.round === mine;
      listRows({ device, search, quality, sort }, page * size, size).then(
        ({ items, total }) => {
          under.delete(page);
          if (isNewest()) {
            setState((was) => ({ held: withPage(was.round === mine ? was.held : nothing<Row>(size), page, items, total), round: mine }));
          }
        },
        (error: Error) => {
          under.delete(page);
          // A lost connection is shown by the frame of the page; what is there stays readable.
          if (isNewest() && !(error instanceof LostError)) {
            setState((was) => ({ ...was, error }));
          }
        },
      );
    },
    [device, search, quality, sort, size],
  );

  useEffect(() => {
    asked.current = { round: asked.current.round + 1, under: new Set() };
    const [first, last] = view.current;
    pagesOf(first, Math.max(first, last), size, Math.max(first, last) + 1).forEach(load);
  }, [load, size, round, connection, revision]);

  const { held } = state;
  const show = useCallback(
    (first: number, last: number) => {
      view.current = [first, last];
      const { round: newest, under } = asked.current;
      pagesOf(first, last, size, held.total)
        .filter((page) => !under.has(page) && !(state.round === newest && held.size === size && held.pages.has(page)))
        .forEach(load);
    },
    [held, load, size, state.round],
  );
  const at = useCallback((index: number) => rowAt(held, index), [held]);
  const reload = useCallback(() => setRound((number) => number + 1), []);
  return { total: held.total, known: state.round >= 0, error: state.error, at, show, reload };
}
