// A policy document by the manual's form (basic mode) or as JSON (advanced mode).
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Form, Input, Radio, Segmented, Typography } from "antd";
import { useState } from "react";
import { JsonEditor } from "../shared/json";
import { documentOf, type Statement, statementsOf } from "./policy-form";
import { words } from "./words";

interface StatementProps {
  number: number;
  value: Statement;
  only: boolean;
  onChange: (value: Statement) => void;
  onRemove: () => void;
}

function StatementRow({ number, value, only, onChange, onRemove }: StatementProps) {
  const id = (field: string) => `statement-${number}-${field}`;
  return (
    <fieldset className="ps-fieldset">
      <legend>{words.statement(number)}</legend>
      <div className="ps-statement">
        <Form.Item label={words.action} htmlFor={id("action")} extra={words.actionHelp}>
          <Input
            id={id("action")}
            className="ps-mono"
            value={value.action}
            onChange={(event) => onChange({ ...value, action: event.target.value })}
          />
        </Form.Item>
        <Form.Item label={words.resource} htmlFor={id("resource")}>
          <Input
            id={id("resource")}
            className="ps-mono"
            value={value.resource}
            onChange={(event) => onChange({ ...value, resource: event.target.value })}
          />
        </Form.Item>
        <Form.Item label={words.effect}>
          <Radio.Group
            aria-label={words.effect}
            value={value.effect}
            onChange={(event) => onChange({ ...value, effect: event.target.value as Statement["effect"] })}
            options={[
              { value: "Allow", label: words.allow },
              { value: "Deny", label: words.deny },
            ]}
          />
        </Form.Item>
        {!only && (
          <Form.Item label=" " colon={false}>
            <Button icon={<DeleteOutlined />} aria-label={`${words.removeStatement} ${number}`} onClick={onRemove} />
          </Form.Item>
        )}
      </div>
    </fieldset>
  );
}

const EMPTY: Statement = { effect: "Allow", action: "", resource: "" };

/** What a new policy begins with. */
export const START = documentOf([EMPTY]);

export interface PolicyEditorProps {
  value: string;
  onChange: (document: string) => void;
}

export function PolicyEditor({ value, onChange }: PolicyEditorProps) {
  // The rows as they were typed: made anew from the document they would lose a comma just typed.
  const [rows, setRows] = useState(() => statementsOf(value));
  const choose = (mode: string) => setRows(mode === "basic" ? statementsOf(value) : undefined);
  const change = (next: Statement[]) => {
    setRows(next);
    onChange(documentOf(next));
  };
  const simple = rows !== undefined || statementsOf(value) !== undefined;
  return (
    <div>
      <Segmented
        aria-label={words.addStatements}
        style={{ marginBottom: 16 }}
        value={rows ? "basic" : "advanced"}
        onChange={choose}
        options={[
          { value: "basic", label: words.basic, disabled: !simple },
          { value: "advanced", label: words.advanced },
        ]}
      />
      {rows === undefined ? (
        <>
          <JsonEditor label={words.policyDocument} value={value} onChange={onChange} />
          {!simple && <Typography.Text type="secondary">{words.onlyAdvanced}</Typography.Text>}
        </>
      ) : (
        <>
          {rows.map((statement, i) => (
            <StatementRow
              key={i}
              number={i + 1}
              value={statement}
              only={rows.length === 1}
              onChange={(changed) => change(rows.map((old, at) => (at === i ? changed : old)))}
              onRemove={() => change(rows.filter((_, at) => at !== i))}
            />
          ))}
          <Button icon={<PlusOutlined />} onClick={() => change([...rows, EMPTY])}>
            {words.addStatement}
          </Button>
        </>
      )}
    </div>
  );
}
