// The value of a variable in its row: shown with its unit, and written in place.
import { CheckOutlined, CloseOutlined, EditOutlined } from "@ant-design/icons";
import { App, Button, Input, Select, Tooltip } from "antd";
import { type KeyboardEvent, useState } from "react";
import { type Row, writeValue } from "./calls";
import { isBit } from "./modbus";
import { words } from "./words";

export interface Live {
  text: string;
  quality: string;
  time: number | null;
  value: unknown;
}

const BITS = {
  BOOL: [
    { value: "true", label: "true" },
    { value: "false", label: "false" },
  ],
  BIT: [
    { value: "1", label: "1" },
    { value: "0", label: "0" },
  ],
};

function Writing({ row, begin, onEnd }: { row: Row; begin: string; onEnd: () => void }) {
  const { message } = App.useApp();
  const [text, setText] = useState(begin);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const apply = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const answer = await writeValue(row.device, row.name, text);
      const back = answer.text !== "" && answer.text !== text ? words.writtenBack(answer.text, row.unit) : "";
      void message.success(back === "" ? words.written : `${words.written}. ${back}`);
      onEnd();
    } catch (failed) {
      setError(failed as Error);
      setBusy(false);
    }
  };
  const change = (next: string) => {
    setText(next);
    setError(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onEnd();
    } else if (event.key === "Enter" && !isBit(row.type)) {
      event.preventDefault();
      void apply();
    }
  };
  const label = words.write(row.name);
  const status = error ? ("error" as const) : undefined;
  return (
    <span className="gd-writing" onKeyDown={onKeyDown}>
      <Tooltip open={error !== undefined} title={error && <span role="alert">{error.message}</span>} placement="bottom">
        {isBit(row.type) ? (
          <Select
            size="small"
            autoFocus
            aria-label={label}
            status={status}
            value={text === "" ? undefined : text}
            options={BITS[row.type as "BOOL" | "BIT"]}
            onChange={change}
          />
        ) : (
          <Input
            size="small"
            autoFocus
            aria-label={label}
            aria-invalid={error !== undefined}
            status={status}
            value={text}
            readOnly={busy}
            onFocus={(event) => event.target.select()}
            onChange={(event) => change(event.target.value)}
          />
        )}
      </Tooltip>
      <Button size="small" type="text" icon={<CloseOutlined />} aria-label={words.writeCancel} onClick={onEnd} />
      <Button size="small" type="text" className="gd-apply" icon={<CheckOutlined />} aria-label={words.writeApply} loading={busy} onClick={() => void apply()} />
    </span>
  );
}

/** Values that are not current say why in a word behind them. */
export function ValueCell({ row, live, canWrite }: { row: Row; live: Live; canWrite: boolean }) {
  const [begin, setBegin] = useState<string>();
  if (begin !== undefined) {
    return <Writing row={row} begin={begin} onEnd={() => setBegin(undefined)} />;
  }
  const good = live.quality === "good";
  return (
    <span className="gd-value">
      <span className={good ? "gd-number" : "gd-number gd-old"} title={live.text}>
        {live.text}
      </span>
      {live.text !== "" && row.unit !== "" && <span className="gd-unit">{row.unit}</span>}
      {!good && <span className="gd-quality">{live.quality}</span>}
      {row.access !== "read" && (
        <Button
          size="small"
          type="text"
          className="gd-pencil"
          icon={<EditOutlined />}
          disabled={!canWrite}
          title={canWrite ? undefined : words.notAllowed}
          aria-label={words.write(row.name)}
          onClick={() => setBegin(live.text)}
        />
      )}
    </span>
  );
}
