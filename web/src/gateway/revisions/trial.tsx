// A revision that is tried out: how long still, and the two ways out of it.
import { Alert } from "antd";
import { useEffect, useRef } from "react";
import { useDo, WorkButton } from "../../shared/parts";
import { send } from "../api";
import { useSession } from "../session";
import type { Probation } from "../status";
import { span, useNow } from "../time";
import { words } from "./words";

export interface TrialProps {
  probation: Probation;
  /** When it was asked for, seconds. */
  asked: number;
  onChanged: () => void;
}

export function Trial({ probation, asked, onChanged }: TrialProps) {
  const act = useDo();
  const { can } = useSession();
  const left = Math.max(0, probation.left_s - (useNow() - asked));
  const over = left === 0;
  const told = useRef(onChanged);
  told.current = onChanged;
  useEffect(() => {
    if (over) {
      told.current();
    }
  }, [over]);
  const say = probation.stays_if === "healthy" ? words.trialHealthy : words.trialConfirmed;
  const keep = async () => (await act(() => send("POST", "confirm"), words.confirmed)) && onChanged();
  const back = async () => (await act(() => send("POST", "revert", { of: probation.back }), words.revertDone(probation.back))) && onChanged();
  return (
    <Alert
      type="warning"
      showIcon
      title={words.trial(probation.number)}
      description={
        <div className="ps-stack">
          <span>{say(probation.back, span(left))}</span>
          {can("engineer") && (
            <div className="ps-row">
              <WorkButton type="primary" work={keep}>
                {words.confirm}
              </WorkButton>
              <WorkButton work={back}>{words.goBack}</WorkButton>
            </div>
          )}
        </div>
      }
    />
  );
}
