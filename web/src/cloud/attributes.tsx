// A thing's attributes as rows of key and value.
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { words } from "./words";

export type Pair = { key: string; value: string };

export const pairsOf = (attributes: Record<string, string> = {}): Pair[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value }));

/** Rows without a key are left out. */
export const attributesOf = (pairs: Pair[]): Record<string, string> =>
  Object.fromEntries(pairs.filter(({ key }) => key !== "").map(({ key, value }) => [key, value]));

export function Attributes({ pairs, onChange }: { pairs: Pair[]; onChange: (pairs: Pair[]) => void }) {
  const change = (at: number, part: Partial<Pair>) =>
    onChange(pairs.map((pair, i) => (i === at ? { ...pair, ...part } : pair)));
  return (
    <div className="ps-stack" style={{ gap: 8 }}>
      {pairs.map(({ key, value }, i) => (
        <div key={i} className="ps-pair">
          <Input
            aria-label={`${words.attributeKey} ${i + 1}`}
            placeholder={words.attributeKey}
            value={key}
            onChange={(event) => change(i, { key: event.target.value })}
          />
          <Input
            aria-label={`${words.attributeValue} ${i + 1}`}
            placeholder={words.attributeValue}
            value={value}
            onChange={(event) => change(i, { value: event.target.value })}
          />
          <Button
            icon={<DeleteOutlined />}
            aria-label={`${words.removeAttribute} ${i + 1}`}
            onClick={() => onChange(pairs.filter((_, at) => at !== i))}
          />
        </div>
      ))}
      <div>
        <Button icon={<PlusOutlined />} onClick={() => onChange([...pairs, { key: "", value: "" }])}>
          {words.addAttribute}
        </Button>
      </div>
    </div>
  );
}
