// A form made from the gateway's option tables: range beside the field, star, unit, help, words as a
// choice; mistakes and the gateway's refusals stand at their field.
import { Form, Input, InputNumber, Select, Switch } from "antd";
import { type ReactNode, useId } from "react";
import { labelOf, mistakeOf, rangeOf, type Value } from "./option-text";
import { findBlock, type Option, useOptions } from "./options";
import { errorsOf } from "./problem-fields";
import { Shown } from "../shared/parts";

export type { Value } from "./option-text";

export interface OptionFormProps {
  /** The block of penstock.json: "devices", "vars", "groups", … */
  block: string;
  /** Which options, in this order. */
  keys: readonly string[];
  value: Value;
  onChange: (value: Value) => void;
  /** A refusal of the gateway, or texts by key. */
  errors?: Error | Record<string, string>;
  labels?: Record<string, ReactNode>;
  /** In place of the control that the type would have: a choice of devices, an upload. */
  controls?: Record<string, (field: FieldProps) => ReactNode>;
  /** Mistakes of fields that nobody has touched are shown as well: after a try to save. */
  strict?: boolean;
  disabled?: boolean;
}

export interface FieldProps {
  id: string;
  option: Option;
  value: unknown;
  onChange: (value: unknown) => void;
  disabled: boolean;
  invalid: boolean;
}

function NumberField({ id, option, value, onChange, disabled, invalid }: FieldProps) {
  return (
    <InputNumber
      id={id}
      style={{ width: "100%" }}
      value={typeof value === "number" ? value : null}
      placeholder={option.fallback === undefined || option.fallback === null ? undefined : String(option.fallback)}
      suffix={option.unit ?? undefined}
      disabled={disabled}
      status={invalid ? "error" : undefined}
      aria-invalid={invalid}
      // The gateway's ranges are said beside the field, not enforced while one types.
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
}

function TextField({ id, option, value, onChange, disabled, invalid }: FieldProps) {
  return (
    <Input
      id={id}
      value={typeof value === "string" ? value : value === undefined || value === null ? "" : String(value)}
      placeholder={typeof option.fallback === "string" ? option.fallback : undefined}
      disabled={disabled}
      status={invalid ? "error" : undefined}
      aria-invalid={invalid}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function WordField({ id, option, value, onChange, disabled, invalid }: FieldProps) {
  return (
    <Select
      id={id}
      value={value as string | undefined}
      disabled={disabled}
      status={invalid ? "error" : undefined}
      allowClear={!option.required && (option.fallback === undefined || option.fallback === null)}
      options={(option.words ?? []).map((word) => ({ value: word, label: word }))}
      onChange={(next) => onChange(next)}
    />
  );
}

function TextsField({ id, value, onChange, disabled, invalid }: FieldProps) {
  return (
    <Select
      id={id}
      mode="tags"
      tokenSeparators={[","]}
      value={Array.isArray(value) ? (value as string[]) : []}
      disabled={disabled}
      status={invalid ? "error" : undefined}
      onChange={(next) => onChange(next)}
    />
  );
}

function BoolField({ id, value, onChange, disabled }: FieldProps) {
  return <Switch id={id} checked={value === true} disabled={disabled} onChange={(next) => onChange(next)} />;
}

const FIELDS = {
  int: NumberField,
  number: NumberField,
  text: TextField,
  path: TextField,
  word: WordField,
  texts: TextsField,
  bool: BoolField,
};

interface RowProps {
  option: Option;
  label: ReactNode;
  error: string | undefined;
  strict: boolean;
  field: Omit<FieldProps, "invalid">;
  control: ((field: FieldProps) => ReactNode) | undefined;
}

function Row({ option, label, error, strict, field, control }: RowProps) {
  const mistake = error ?? (strict || field.value !== undefined ? mistakeOf(option, field.value) : undefined);
  const range = control && (option.type === "text" || option.type === "path") ? "" : rangeOf(option);
  const Field = FIELDS[option.type] ?? TextField;
  const whole = { ...field, invalid: mistake !== undefined };
  return (
    <Form.Item
      label={label}
      htmlFor={field.id}
      required={option.required === true}
      tooltip={option.help}
      validateStatus={mistake === undefined ? undefined : "error"}
      help={mistake}
      // A choice needs no range.
      extra={control || range === "" ? undefined : range}
    >
      {control ? control(whole) : <Field {...whole} />}
    </Form.Item>
  );
}

export function OptionForm(props: OptionFormProps) {
  const { block, keys, value, onChange, errors, labels = {}, controls = {}, strict = false, disabled = false } = props;
  const loaded = useOptions();
  const id = useId();
  const byKey = errors instanceof Error ? errorsOf(errors) : (errors ?? {});
  return (
    <Shown loaded={loaded}>
      {(blocks) => {
        const options = new Map((findBlock(blocks, block)?.options ?? []).map((option) => [option.key, option]));
        return (
          <Form layout="vertical" component="div" className="ps-options">
            {keys.map((key) => {
              const option = options.get(key);
              return (
                option && (
                  <Row
                    key={key}
                    option={option}
                    label={labels[key] ?? labelOf(key)}
                    error={byKey[key]}
                    strict={strict}
                    control={controls[key]}
                    field={{
                      id: `${id}${key}`,
                      option,
                      value: value[key],
                      disabled,
                      onChange: (next) => onChange({ ...value, [key]: next }),
                    }}
                  />
                )
              );
            })}
          </Form>
        );
      }}
    </Shown>
  );
}
