// The log's lines: those the gateway has kept, then each as it is written.
import { useEffect, useState } from "react";
import { useConnection } from "../../shared/connection";
import { get, LostError } from "../api";
import { type LogLine, useEvents } from "../events";
import { appended, type KeptLine } from "./lines";

interface Kept {
  last: number;
  lines: LogLine[];
}

const PAGE = 1000;
const PAGES_MOST = 20;

/** All lines that the gateway has kept, page by page. */
async function kept(take: (lines: LogLine[]) => void): Promise<void> {
  let from = 0;
  for (let i = 0; i < PAGES_MOST; i++) {
    const { last, lines } = await get<Kept>("log", { after: from, level: "DEBUG", limit: PAGE });
    take(lines);
    if (lines.length === 0 || last <= from) {
      return;
    }
    from = last;
  }
}

export function useLog(paused: boolean) {
  const { round } = useConnection();
  const [lines, setLines] = useState<KeptLine[]>([]);
  const [held, setHeld] = useState<KeptLine[]>([]);
  const [missed, setMissed] = useState(0);
  const [error, setError] = useState<Error>();
  const [loaded, setLoaded] = useState(false);
  const [opened, setOpened] = useState(0);

  useEffect(() => {
    let here = true;
    // From the first on also when the connection is back: the gateway may have been started anew.
    kept((more) => here && setLines((was) => appended(was, more))).then(
      () => {
        setLoaded(true);
        setError(undefined);
      },
      (failed: Error) => here && !(failed instanceof LostError) && setError(failed),
    );
    return () => {
      here = false;
    };
  }, [round, opened]);

  useEvents(
    { log: "DEBUG" },
    {
      onLog: (more) => (paused ? setHeld((was) => appended(was, more)) : setLines((was) => appended(was, more))),
      // What was written before the stream was open, and after it was last asked for.
      onOpen: () => setOpened((was) => was + 1),
      onLogMissed: (count) => setMissed((was) => was + count),
    },
  );
  useEffect(() => {
    if (!paused) {
      setHeld((was) => {
        if (was.length > 0) {
          setLines((all) => appended(all, was));
        }
        return [];
      });
    }
  }, [paused]);
  return { lines, held: held.length, missed, error, loaded };
}
