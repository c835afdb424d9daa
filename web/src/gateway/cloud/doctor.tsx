// The doctor: a connection step by step, as a checklist with the cure for what fails.
import { CheckCircleFilled, CloseCircleFilled, MedicineBoxOutlined, MinusCircleOutlined } from "@ant-design/icons";
import { Alert, Card, Typography } from "antd";
import { useState } from "react";
import { ErrorNote, WorkButton } from "../../shared/parts";
import { examine, type Step } from "./calls";
import { words } from "./words";

function Line({ step, reached }: { step: Step; reached: boolean }) {
  const [icon, name, mark] = !reached
    ? [<MinusCircleOutlined key="i" />, words.skipped, "gc-skipped"]
    : step.ok
      ? [<CheckCircleFilled key="i" />, words.ok, "gc-good"]
      : [<CloseCircleFilled key="i" />, words.failed, "gc-bad"];
  return (
    <li className="gc-step">
      <span className={mark} role="img" aria-label={name}>
        {icon}
      </span>
      <div>
        <strong>{words.steps[step.step] ?? step.step}</strong>
        {!reached && <div className="gc-skipped">{words.skipped}</div>}
        {step.detail !== "" && <div className="gc-detail">{step.detail}</div>}
        {reached && !step.ok && step.cure !== "" && (
          <div className="gc-cure">
            {words.whatToDo} {step.cure}
          </div>
        )}
      </div>
    </li>
  );
}

export function Doctor({ unsaved, may }: { unsaved: boolean; may: boolean }) {
  const [steps, setSteps] = useState<Step[]>();
  const [error, setError] = useState<Error>();
  const run = async () => {
    setError(undefined);
    try {
      setSteps(await examine());
    } catch (failed) {
      setSteps(undefined);
      setError(failed as Error);
    }
  };
  const first = (steps ?? []).findIndex(({ ok }) => ok === false);
  return (
    <Card size="small" title={words.doctor}>
      <div className="ps-stack">
        <Typography.Text type="secondary">{words.doctorText}</Typography.Text>
        {unsaved && <Typography.Text type="warning">{words.unsavedText}</Typography.Text>}
        <div>
          <WorkButton icon={<MedicineBoxOutlined />} disabled={!may} work={run}>
            {words.run}
          </WorkButton>
        </div>
        <ErrorNote error={error} />
        <div role="status" className="ps-stack">
          {steps && (
            <ol className="gc-steps">
              {steps.map((step, i) => (
                <Line key={`${step.step} ${i}`} step={step} reached={step.ok !== null} />
              ))}
            </ol>
          )}
          {steps && first < 0 && <Alert type="success" showIcon title={words.well} />}
        </div>
      </div>
    </Card>
  );
}
