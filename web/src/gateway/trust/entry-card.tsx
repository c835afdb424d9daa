// One certificate of a server, with the decision about it.
import { Alert, Button, Card, Descriptions, Tag } from "antd";
import { Copyable, useConfirm, useDo } from "../../shared/parts";
import { to } from "../../shared/route";
import { useSession } from "../session";
import { useNow, When } from "../time";
import { accept, type Entry, revoke } from "./calls";
import { grouped, validityOf } from "./entries";
import { words } from "./words";

function Valid({ entry }: { entry: Entry }) {
  const validity = validityOf(entry, useNow());
  return (
    <span>
      <When at={entry.not_before} /> {words.to} <When at={entry.not_after} />{" "}
      {validity !== "valid" && <Tag color="warning">{words.validity[validity]}</Tag>}
    </span>
  );
}

function Devices({ names }: { names: string[] }) {
  return names.length === 0 ? (
    words.noDevices
  ) : (
    <span className="gt-links">
      {names.map((name) => (
        <a key={name} href={to("devices", name)}>
          {name}
        </a>
      ))}
    </span>
  );
}

const warningOf = ({ warning }: Entry) => warning !== "" && <Alert type="warning" showIcon title={words.namesDiffer} description={warning} />;

function useDecision(entry: Entry, onDone: () => void) {
  const confirm = useConfirm();
  const act = useDo();
  const decide = async (what: () => Promise<unknown>, done: string) => {
    await act(what, done);
    onDone(); // also when it was refused: somebody else may have decided
  };
  const { fingerprint, devices } = entry;
  return entry.state === "rejected"
    ? () =>
        confirm(
          words.acceptTitle,
          <div className="gt-question">
            <p>{words.acceptText}</p>
            <p className="ps-mono">{grouped(fingerprint)}</p>
            {warningOf(entry)}
          </div>,
          words.accept,
          () => decide(() => accept(fingerprint), words.accepted),
        )
    : () => confirm(words.revokeTitle, words.revokeText(devices.join(", ")), words.revoke, () => decide(() => revoke(fingerprint), words.revoked));
}

export function EntryCard({ entry, onDone }: { entry: Entry; onDone: () => void }) {
  const { can } = useSession();
  const decide = useDecision(entry, onDone);
  const waits = entry.state === "rejected";
  const rows = [
    { key: "devices", children: <Devices names={entry.devices} /> },
    { key: "endpoint", children: entry.endpoint },
    { key: "fingerprint", children: <Copyable text={entry.fingerprint} short={grouped(entry.fingerprint)} /> },
    { key: "hosts", children: entry.hosts || words.none },
    { key: "uri", children: entry.uri || words.none },
    { key: "valid", children: <Valid entry={entry} /> },
    { key: "met", children: <When at={entry.met} /> },
  ] as const;
  return (
    <Card
      size="small"
      className="gt-entry"
      title={<h3>{entry.subject}</h3>}
      extra={
        can("administrator") && (
          <Button
            type={waits ? "primary" : "default"}
            danger={!waits}
            size="small"
            aria-label={waits ? words.acceptOf(entry.subject) : words.revokeOf(entry.subject)}
            onClick={decide}
          >
            {waits ? words.accept : words.revoke}
          </Button>
        )
      }
    >
      <div className="ps-stack">
        {warningOf(entry)}
        <Descriptions size="small" column={1} items={rows.map(({ key, children }) => ({ key, label: words.rows[key], children }))} />
      </div>
    </Card>
  );
}
