// JSON shown in colours, and an editor that says where a text stops being JSON.
import { FormatPainterOutlined } from "@ant-design/icons";
import { Button, Input, Typography } from "antd";
import { mistake, pretty, tokens } from "./json-text";
import { words } from "./words";

/** More than this is shown without colours: a hundred thousand elements would hold the page up. */
const COLOURED_CHARACTERS = 60_000;

export function JsonView({ text, label }: { text: string; label?: string }) {
  const shown = pretty(text);
  return (
    <pre className="ps-code" aria-label={label} role={label ? "region" : undefined}>
      {shown.length > COLOURED_CHARACTERS
        ? shown
        : tokens(shown).map((token, i) =>
            token.kind === "plain" ? (
              token.text
            ) : (
              <span key={i} className={`ps-${token.kind}`}>
                {token.text}
              </span>
            ),
          )}
    </pre>
  );
}

export interface JsonEditorProps {
  id?: string;
  label: string;
  value: string;
  onChange: (text: string) => void;
  rows?: number;
  /** Whether anything else than JSON is a mistake. */
  must?: boolean;
}

export function JsonEditor({ id, label, value, onChange, rows = 12, must = true }: JsonEditorProps) {
  const wrong = mistake(value);
  return (
    <div>
      <Input.TextArea
        id={id}
        className="ps-editor"
        aria-label={label}
        aria-invalid={must && wrong !== undefined}
        status={must && wrong ? "error" : undefined}
        spellCheck={false}
        autoSize={{ minRows: rows, maxRows: 32 }}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <div className="ps-row" style={{ marginTop: 6, minHeight: 32 }}>
        <Button size="small" icon={<FormatPainterOutlined />} disabled={wrong !== undefined} onClick={() => onChange(pretty(value))}>
          {words.format}
        </Button>
        <span role="status">
          {must && wrong && <Typography.Text type="danger">{words.notJson(wrong.line, wrong.column)}</Typography.Text>}
        </span>
      </div>
    </div>
  );
}
