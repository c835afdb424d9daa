// Canary: the draft beside the live script, compared byte for byte.
import { Alert, Button, InputNumber, Progress, Tag } from "antd";
import { useCallback, useEffect, useState } from "react";
import { ErrorNote, WorkButton } from "../../shared/parts";
import { type Canary, getCanary, startCanary, stopCanary } from "./calls";
import { sameUntil } from "./report";
import { words } from "./words";

const LOOK_EVERY_MS = 1000;
const CALLS_MOST = 1_000_000;

function Text({ label, text, from }: { label: string; text: string; from: number }) {
  return (
    <section aria-label={label}>
      <strong>{label}</strong>
      <pre className="ps-code">
        {text === "" ? (
          words.canaryNothing
        ) : (
          <>
            {text.slice(0, from)}
            <mark>{text.slice(from)}</mark>
          </>
        )}
      </pre>
    </section>
  );
}

function Shown({ canary }: { canary: Canary }) {
  const { calls, wanted, same, different, failed, live, draft, error, state } = canary;
  const from = sameUntil(live, draft);
  return (
    <div className="ps-stack">
      <Progress percent={Math.round((calls / Math.max(wanted, 1)) * 100)} size="small" aria-label={words.canaryRunning(calls, wanted)} />
      <div className="ps-row">
        <span>{words.canaryRunning(calls, wanted)}</span>
        <Tag color="success">
          {same} {words.canarySame}
        </Tag>
        <Tag color={different > 0 ? "error" : "default"}>
          {different} {words.canaryDifferent}
        </Tag>
        {failed > 0 && (
          <Tag color="error">
            {failed} {words.canaryFailed}
          </Tag>
        )}
      </div>
      {error !== "" && <Alert type="warning" showIcon title={error} />}
      {state === "finished" && different === 0 && calls > 0 && error === "" && <Alert type="success" showIcon title={words.canaryWell} />}
      {different > 0 && (
        <section aria-label={words.canaryFirst}>
          <div>{words.canaryFirst}</div>
          <div className="gm-compare">
            <Text label={words.canaryLive} text={live} from={from} />
            <Text label={words.canaryDraft} text={draft} from={from} />
          </div>
        </section>
      )}
    </div>
  );
}

export interface CanaryPanelProps {
  /** Undefined while the message has not been saved. */
  name: string | undefined;
  source: string;
  may: boolean;
}

export function CanaryPanel({ name, source, may }: CanaryPanelProps) {
  const [canary, setCanary] = useState<Canary>();
  const [error, setError] = useState<Error>();
  const [calls, setCalls] = useState<number | null>(100);
  const running = canary?.state === "running";

  const does = useCallback(async (what: () => Promise<Canary>) => {
    try {
      setCanary(await what());
      setError(undefined);
    } catch (failed) {
      setError(failed as Error);
    }
  }, []);
  // A canary that nobody asks about ends by itself, so it is asked about while this is shown.
  useEffect(() => {
    if (!running) {
      return undefined;
    }
    const timer = setInterval(() => void does(getCanary), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [running, does]);

  if (name === undefined) {
    return <Alert type="info" showIcon title={words.canaryNeedsSaved} />;
  }
  return (
    <div className="ps-stack">
      <span className="gm-second">{words.canaryText}</span>
      <div className="ps-row">
        <label className="ps-row">
          {words.canaryCalls}
          <InputNumber min={1} max={CALLS_MOST} value={calls} onChange={setCalls} disabled={running} />
        </label>
        {running ? (
          <Button onClick={() => void does(stopCanary)}>{words.canaryStop}</Button>
        ) : (
          <WorkButton type="primary" disabled={!may || calls === null} work={() => does(() => startCanary(name, source, calls ?? 100))}>
            {words.canaryStart}
          </WorkButton>
        )}
      </div>
      <ErrorNote error={error} />
      <div role="status">{canary && canary.state !== "idle" && <Shown canary={canary} />}</div>
    </div>
  );
}
