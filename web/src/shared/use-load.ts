// Data of a page: loaded when the page opens, when what it depends on changes, when the window is
// looked at again, and when a lost connection is back. Old data stays while the new is on its way.
import { useCallback, useEffect, useRef, useState } from "react";
import { LostError } from "./api";
import { useConnection } from "./connection";

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  reload: () => void;
}

/** `load` must be stable as long as it would load the same: wrap it in useCallback. */
export function useLoad<T>(load: () => Promise<T>): Loaded<T> {
  const { round } = useConnection();
  const [asked, setAsked] = useState(0);
  const [state, setState] = useState<{ by: unknown; data?: T; error?: Error; loading: boolean }>({
    by: load,
    loading: true,
  });
  const newest = useRef(0);

  useEffect(() => {
    const mine = ++newest.current;
    setState((was) => ({ by: load, data: was.by === load ? was.data : undefined, error: was.error, loading: true }));
    load().then(
      (data) => mine === newest.current && setState({ by: load, data, loading: false }),
      (error: Error) =>
        mine === newest.current &&
        // A lost connection is shown by the frame of the page; what is there stays readable.
        setState((was) => ({ ...was, loading: false, error: error instanceof LostError ? was.error : error })),
    );
  }, [load, round, asked]);

  const reload = useCallback(() => setAsked((number) => number + 1), []);
  useEffect(() => {
    window.addEventListener("focus", reload);
    return () => window.removeEventListener("focus", reload);
  }, [reload]);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}
