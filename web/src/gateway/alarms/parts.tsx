// Small parts that the pages of alarms share.
import { Tag } from "antd";
import { levelName } from "./condition";
import { words } from "./words";

const COLOURS = ["blue", "gold", "orange", "volcano", "red"];

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
