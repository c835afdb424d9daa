// The fields of a message, from the option tables.
import { Alert, AutoComplete, Collapse, Input, Radio, Select } from "antd";
import { type FieldProps, OptionForm, type Value } from "../option-form";
import { errorsOf } from "../problem-fields";
import type { Group } from "./calls";
import { FIRST, LIMITS, type Values } from "./message-values";
import { functionsOf } from "./python-text";
import type { Kind } from "./template";
import { parametersIn, topicAdvice } from "./topic";
import { words } from "./words";

export interface FieldsProps {
  kind: Kind;
  values: Values;
  text: string;
  groups: Group[];
  aws: boolean;
  /** Names of the custom parameters; undefined while they are not known. */
  parameters: readonly string[] | undefined;
  error: Error | undefined;
  strict: boolean;
  disabled: boolean;
  onChange: (values: Values) => void;
}

const typeOf = (values: Values) => (values.group_type === "alarm" ? "alarm" : "collect");

function Topic({ field, kind, aws, parameters }: { field: FieldProps; kind: Kind; aws: boolean; parameters: readonly string[] | undefined }) {
  const topic = typeof field.value === "string" ? field.value : "";
  const unknown = parameters === undefined ? [] : parametersIn(topic).filter((name) => !parameters.includes(name));
  return (
    <>
      <Input
        id={field.id}
        className="ps-mono"
        value={topic}
        disabled={field.disabled}
        status={field.invalid ? "error" : undefined}
        aria-invalid={field.invalid}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => field.onChange(event.target.value)}
      />
      {topicAdvice(topic, kind, aws).map(({ severe, text }) => (
        <div key={text} className={severe ? "gm-bad" : "gm-warn"} role="status">
          {text}
        </div>
      ))}
      {unknown.map((name) => (
        <div key={name} className="gm-warn" role="status">
          {words.noParameter(name)}
        </div>
      ))}
    </>
  );
}

function controlsOf(props: FieldsProps): Record<string, (field: FieldProps) => React.ReactNode> {
  const { kind, values, text, groups, aws, parameters, onChange } = props;
  return {
    topic: (field) => <Topic field={field} kind={kind} aws={aws} parameters={parameters} />,
    qos: ({ id, value, disabled, onChange: choose }) => (
      <Select
        id={id}
        value={typeof value === "number" ? value : 0}
        disabled={disabled}
        onChange={choose}
        options={[0, 1, ...(aws && value !== 2 ? [] : [2])].map((qos) => ({ value: qos, label: words.qosText[qos] }))}
      />
    ),
    group_type: ({ disabled }) => (
      <Radio.Group
        aria-label={words.labels.group_type}
        optionType="button"
        disabled={disabled}
        value={typeOf(values)}
        options={[
          { value: "collect", label: words.groupTypes.collect },
          { value: "alarm", label: words.groupTypes.alarm },
        ]}
        onChange={(event) => {
          const type = event.target.value as "collect" | "alarm";
          // Only groups of the type can be chosen, and one of them is always there.
          onChange({ ...values, group_type: type, groups: [type === "alarm" ? "warning" : "default"] });
        }}
      />
    ),
    groups: ({ id, value, disabled, invalid, onChange: choose }) => (
      <Select
        id={id}
        mode="multiple"
        placeholder={words.chooseGroups}
        disabled={disabled}
        status={invalid ? "error" : undefined}
        value={Array.isArray(value) ? (value as string[]) : []}
        onChange={choose}
        options={groups.filter(({ group_type }) => group_type === typeOf(values)).map(({ group_name }) => ({ value: group_name, label: group_name }))}
      />
    ),
    main_function: ({ id, value, disabled, invalid, onChange: choose }) => {
      const functions = functionsOf(text);
      const name = typeof value === "string" ? value : "";
      return (
        <>
          <AutoComplete
            id={id}
            value={name}
            disabled={disabled}
            status={invalid ? "error" : undefined}
            onChange={choose}
            options={functions.map((one) => ({ value: one }))}
          />
          {name !== "" && text !== "" && !functions.includes(name) && (
            <div className="gm-warn" role="status">
              {words.noFunction(name)}
            </div>
          )}
        </>
      );
    },
  };
}

export function Fields(props: FieldsProps) {
  const { kind, values, error, strict, disabled, onChange } = props;
  const form = (keys: readonly string[]) => (
    <OptionForm
      block={kind}
      keys={keys}
      value={values as Value}
      labels={words.labels}
      errors={errorsOf(error)}
      strict={strict}
      disabled={disabled}
      controls={controlsOf(props)}
      onChange={(next) => onChange(next as Values)}
    />
  );
  return (
    <>
      {form(FIRST[kind])}
      <Collapse ghost items={[{ key: "limits", label: words.limits, children: form(LIMITS) }]} />
    </>
  );
}

/** A script that other messages have too. */
export function SharedScript({ others }: { others: readonly string[] }) {
  return others.length === 0 ? null : <Alert type="info" showIcon title={words.shared(others.join(", "))} />;
}
