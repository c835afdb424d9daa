// One row of the table of variables. Drawn many times a second: plain elements, drawn anew only
// when its own values are others.
import { DeleteOutlined, EditOutlined, LineChartOutlined, QuestionCircleOutlined } from "@ant-design/icons";
import { Button, Checkbox } from "antd";
import { memo } from "react";
import { local, utc } from "../time-text";
import type { Row } from "./calls";
import { type Live, ValueCell } from "./value-cell";
import { words } from "./words";

export interface RowActions {
  onTick: (row: Row, index: number, ticked: boolean, range: boolean) => void;
  onEdit: (row: Row) => void;
  onDelete: (row: Row) => void;
  onExplain: (row: Row) => void;
  onTrend: (row: Row) => void;
}

export interface VariableRowProps extends RowActions {
  row: Row | undefined;
  index: number;
  top: number;
  live: Live | undefined;
  ticked: boolean;
  canWrite: boolean;
  canEdit: boolean;
}

/** Classes of the dot by the API's words; all others are grey. */
const DOTS: Record<string, string> = {
  good: "gd-good",
  "too old": "gd-warn",
  "device away": "gd-bad",
  "refused by the device": "gd-bad",
  "not a value of this type": "gd-bad",
};

export function Dot({ quality }: { quality: string }) {
  return <span className={`gd-dot ${DOTS[quality] ?? ""}`} role="img" aria-label={quality} title={quality} />;
}

function Operations({ row, canEdit, onEdit, onDelete, onExplain, onTrend }: { row: Row; canEdit: boolean } & RowActions) {
  const small = { size: "small", type: "text" } as const;
  return (
    <div role="cell" className="gd-operations">
      <Button {...small} icon={<LineChartOutlined />} aria-label={words.trendOf(row.name)} title={words.trend} onClick={() => onTrend(row)} />
      <Button {...small} icon={<QuestionCircleOutlined />} aria-label={words.explain(row.name)} title={words.explainTitle} onClick={() => onExplain(row)} />
      {canEdit && <Button {...small} icon={<EditOutlined />} aria-label={words.editVariable(row.name)} onClick={() => onEdit(row)} />}
      {canEdit && <Button {...small} danger icon={<DeleteOutlined />} aria-label={words.deleteVariable(row.name)} onClick={() => onDelete(row)} />}
    </div>
  );
}

export const VariableRow = memo(function VariableRow(props: VariableRowProps) {
  const { row, index, top, ticked, canWrite, canEdit, onTick } = props;
  const place = { transform: `translateY(${top}px)` };
  if (!row) {
    return (
      <div role="row" aria-rowindex={index + 2} className="gd-row gd-coming" style={place}>
        <div role="cell" className="gd-name">
          …
        </div>
      </div>
    );
  }
  const live = props.live ?? row;
  return (
    <div role="row" aria-rowindex={index + 2} className={ticked ? "gd-row gd-ticked" : "gd-row"} style={place}>
      <div role="cell" className="gd-tick">
        <Checkbox
          aria-label={words.selectVariable(row.name)}
          checked={ticked}
          onChange={(event) => onTick(row, index, event.target.checked, event.nativeEvent.shiftKey)}
        />
      </div>
      <div role="cell" className="gd-name" title={row.name}>
        <Dot quality={live.quality} />
        <span>{row.name}</span>
      </div>
      <div role="cell" className="gd-group" title={row.group}>
        {row.group}
      </div>
      <div role="cell" className="gd-type">
        {row.type}
      </div>
      <div role="cell" className="gd-address">
        {row.address}
      </div>
      <div role="cell" className="gd-value-cell">
        <ValueCell row={row} live={live} canWrite={canWrite} />
      </div>
      <div role="cell" className="gd-desc" title={row.desc}>
        {row.desc}
      </div>
      <div role="cell" className="gd-time">
        {live.time !== null && live.time > 0 && (
          <time dateTime={new Date(live.time * 1000).toISOString()} title={utc(live.time)}>
            {local(live.time)}
          </time>
        )}
      </div>
      <Operations {...props} row={row} canEdit={canEdit} />
    </div>
  );
});
