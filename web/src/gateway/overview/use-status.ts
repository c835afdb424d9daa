// The gateway's state: asked for when the page opens, then live; the small curves grow with it.
import { useEffect, useRef, useState } from "react";
import { useLoad } from "../../shared/use-load";
import { get } from "../api";
import { useEvents } from "../events";
import { useRevision } from "../revision-store";
import type { History, SmallStatus } from "../status";
import { figuresOf, grown, merged } from "./figures";

const loadStatus = () => get<SmallStatus>("status");

const NO_HISTORY: History = { step_s: 5, points: {} };

export function useLiveStatus() {
  // A change of the configuration may bring or take devices and messages.
  const revision = useRevision();
  const loaded = useLoad(loadStatus);
  const { reload } = loaded;
  useEffect(reload, [reload, revision]);
  const [status, setStatus] = useState<SmallStatus>();
  const [history, setHistory] = useState<History>(NO_HISTORY);
  const newest = useRef(0);
  const [at, setAt] = useState(0); // when the gateway told of lines: "in 12 s" counts from then

  useEffect(() => {
    if (loaded.data) {
      setStatus(loaded.data);
      setAt(Date.now() / 1000);
      setHistory(loaded.data.history ?? NO_HISTORY);
      newest.current = Date.now();
    }
  }, [loaded.data]);

  useEvents<SmallStatus>(
    { status: true },
    {
      onStatus: (next) => {
        const all = merged(status, next);
        setStatus(all);
        if (next.channels) {
          setAt(Date.now() / 1000);
        }
        if (Date.now() - newest.current >= history.step_s * 1000) {
          newest.current = Date.now();
          setHistory((was) => grown(was, figuresOf(all)));
        }
      },
    },
  );
  return { loaded, status: status ?? loaded.data, history, at };
}
