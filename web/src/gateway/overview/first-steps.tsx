// From a new gateway to data in the cloud: a list that ticks itself off and goes when it is done.
import { CheckCircleFilled, RightCircleOutlined } from "@ant-design/icons";
import { Card } from "antd";
import { to } from "../../shared/route";
import type { SmallStatus } from "../status";
import { type Step, stepsOf } from "./figures";
import { words } from "./words";

const PLACES: Record<Step, string | undefined> = {
  administrator: undefined,
  device: "devices",
  cloud: "cloud",
  message: "messages",
  delivery: undefined,
};

export function FirstSteps({ status }: { status: SmallStatus }) {
  const steps = stepsOf(status);
  const all = Object.entries(steps) as [Step, boolean][];
  if (all.every(([, done]) => done)) {
    return null;
  }
  return (
    <Card size="small" title={<h2 className="ps-card-title">{words.firstSteps}</h2>}>
      <p className="ps-quiet">{words.firstStepsText}</p>
      <ol className="ps-steps">
        {all.map(([step, done]) => {
          const place = PLACES[step];
          return (
            <li key={step} className={done ? "ps-step-done" : undefined}>
              {done ? <CheckCircleFilled aria-label={words.done} /> : <RightCircleOutlined aria-label={words.open} />}
              <div>
                <strong>{place && !done ? <a href={to(place)}>{words.steps[step]}</a> : words.steps[step]}</strong>
                {!done && <div className="ps-quiet">{words.stepsHelp[step]}</div>}
              </div>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
