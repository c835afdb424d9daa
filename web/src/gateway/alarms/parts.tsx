// Small parts that the pages of alarms share.
import { Tag } from "antd";
import { levelName } from "./condition";
import { words } from "./words";

/** From a hint to what must not be overlooked. */
const COLOURS = ["default", "processing", "warning", "error", "#c41d2b"];

export function Level({ level }: { level: number }) {
  return (
    <Tag color={COLOURS[level - 1] ?? "default"} title={words.level}>
      {level} {levelName(level)}
    </Tag>
  );
}

export function Value({ text, unit }: { text: string; unit: string }) {
  return (
    <span className="ps-mono">
      {text}
      {unit !== "" && ` ${unit}`}
    </span>
  );
}
