// One condition, or two that are joined.
import { Form, Input, Select } from "antd";
import { SIGNS } from "./condition";
import type { Values } from "./strategy-values";
import { words } from "./words";

const COMPARE = Object.entries(SIGNS).map(([value, label]) => ({ value, label }));
const COMBINE = [
  { value: "None", label: words.combineNone },
  { value: "And", label: words.combineAnd },
  { value: "Or", label: words.combineOr },
];
const KEYS = ["condition1", "operand1", "combine_method", "condition2", "operand2"];

interface ConditionsProps {
  values: Values;
  errors: Record<string, string>;
  strict: boolean;
  onChange: (values: Values) => void;
}

export function Conditions({ values, errors, strict, onChange }: ConditionsProps) {
  const joined = values.combine_method === "And" || values.combine_method === "Or";
  const missing = strict && ((values.operand1 ?? "") === "" || (joined && (values.operand2 ?? "") === ""));
  const wrong = KEYS.map((key) => errors[key]).find((text) => text !== undefined) ?? (missing ? words.fillIn : undefined);
  const compare = (key: "condition1" | "condition2", label: string) => (
    <Select aria-label={label} value={values[key] ?? "Eq"} options={COMPARE} onChange={(next) => onChange({ ...values, [key]: next })} />
  );
  const operand = (key: "operand1" | "operand2", label: string) => (
    <Input
      aria-label={label}
      aria-required
      value={values[key] ?? ""}
      status={strict && (values[key] ?? "") === "" ? "error" : undefined}
      autoComplete="off"
      onChange={(event) => onChange({ ...values, [key]: event.target.value })}
    />
  );
  return (
    <Form.Item required label={words.conditions} validateStatus={wrong === undefined ? undefined : "error"} help={wrong}>
      <div className="ga-condition" role="group" aria-label={words.conditions}>
        {compare("condition1", words.compare)}
        {operand("operand1", words.operand)}
        <Select
          aria-label={words.combine}
          value={values.combine_method ?? "None"}
          options={COMBINE}
          onChange={(next) => onChange({ ...values, combine_method: next })}
        />
        {joined && compare("condition2", `${words.compare} (${words.second})`)}
        {joined && operand("operand2", `${words.operand} (${words.second})`)}
      </div>
    </Form.Item>
  );
}
