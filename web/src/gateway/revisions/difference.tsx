// What one revision changed, readable: what was added, removed and changed, option by option.
import { Empty, Tag } from "antd";
import type { Change, Difference, OptionChange } from "./data";
import { words } from "./words";

const COLOURS = { added: "success", removed: "error", changed: "processing" } as const;

function Value({ text, className }: { text: string | undefined; className: string }) {
  return text === undefined ? <em className="ps-quiet">{words.notShown}</em> : <span className={`ps-mono ${className}`}>{text === "" ? "–" : text}</span>;
}

function Options({ options }: { options: OptionChange[] }) {
  return (
    <table className="ps-diff-options">
      <thead>
        <tr>
          <th scope="col">{words.option}</th>
          <th scope="col">{words.before}</th>
          <th scope="col">{words.after}</th>
        </tr>
      </thead>
      <tbody>
        {options.map(({ key, before, after }) => (
          <tr key={key}>
            <th scope="row" className="ps-mono">
              {key}
            </th>
            <td>
              <Value text={before} className="ps-diff-before" />
            </td>
            <td>
              <Value text={after} className="ps-diff-after" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function One({ change }: { change: Change }) {
  const options = change.options ?? [];
  return (
    <li>
      <div className="ps-row">
        <Tag color={COLOURS[change.what]}>{words[change.what]}</Tag>
        <span>
          {change.kind} {change.name !== undefined && <strong>{change.name}</strong>} {change.of !== undefined && words.of(change.of)}
        </span>
        {change.name_then !== undefined && <span className="ps-quiet">{words.renamed(change.name_then)}</span>}
        {change.script && (
          <span className="ps-mono">
            {change.script.path} ({words.script(change.script.added, change.script.removed)})
          </span>
        )}
      </div>
      {options.length > 0 && <Options options={options} />}
    </li>
  );
}

export function DifferenceView({ difference }: { difference: Difference | null | undefined }) {
  if (!difference) {
    return <p className="ps-quiet">{words.notKept}</p>;
  }
  if (difference.changes.length === 0) {
    return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={words.noDifference} />;
  }
  return (
    <>
      <ul className="ps-diff">
        {difference.changes.map((change, i) => (
          <One key={i} change={change} />
        ))}
      </ul>
      {difference.left_out > 0 && <p className="ps-quiet">{words.leftOut(difference.left_out)}</p>}
    </>
  );
}
