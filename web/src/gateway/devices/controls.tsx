// Controls in the place of those that the option tables would give: a choice that depends on other
// fields or on other objects, and a hint that does.
import { Input, InputNumber, Select } from "antd";
import type { ReactNode } from "react";
import type { FieldProps } from "../option-form";

type Control = (field: FieldProps) => ReactNode;

const common = ({ id, disabled, invalid }: FieldProps) => ({
  id,
  disabled,
  status: invalid ? ("error" as const) : undefined,
  "aria-invalid": invalid,
});

/** One of these. What stands there already is one of them, whatever it is. */
export function choice(words: readonly (string | number)[], hint?: string): Control {
  return (field) => {
    const { value, onChange } = field;
    const isStrange = value !== undefined && value !== "" && !words.includes(value as string | number);
    return (
      <>
        <Select
          {...common(field)}
          showSearch={words.length > 8}
          value={value === "" ? undefined : (value as string | number | undefined)}
          options={[...(isStrange ? [value as string | number] : []), ...words].map((word) => ({ value: word, label: String(word) }))}
          onChange={(next) => onChange(next)}
        />
        <Hint text={hint} />
      </>
    );
  };
}

export function numberWithHint(hint: string | undefined): Control {
  return (field) => (
    <>
      <InputNumber
        {...common(field)}
        style={{ width: "100%" }}
        controls={false}
        value={typeof field.value === "number" ? field.value : null}
        onChange={(next) => field.onChange(next ?? undefined)}
      />
      <Hint text={hint} />
    </>
  );
}

/** A number, or an address in S7 notation, which is taken apart once the field is left. */
export function s7Register(hint: string, onLeave: () => void): Control {
  return (field) => (
    <>
      <Input
        {...common(field)}
        autoComplete="off"
        spellCheck={false}
        value={field.value === undefined || field.value === null ? "" : String(field.value as string | number)}
        onChange={({ target }) => field.onChange(/^\d+$/.test(target.value) ? Number(target.value) : target.value)}
        onBlur={onLeave}
        onPressEnter={onLeave}
      />
      <Hint text={hint} />
    </>
  );
}

/** A text that is where one begins to type. */
export const firstText: Control = (field) => (
  <Input
    {...common(field)}
    autoFocus
    autoComplete="off"
    spellCheck={false}
    value={typeof field.value === "string" ? field.value : ""}
    onChange={(event) => field.onChange(event.target.value)}
  />
);

function Hint({ text }: { text: string | undefined }) {
  return text === undefined ? null : (
    <div className="ps-hint" role="note">
      {text}
    </div>
  );
}
