// Trusted Servers: certificates of OPC UA servers that wait for a decision, and those that are
// trusted. `#/trust/DEVICE` shows those of one device's server.
import { Alert, Button, Card, Descriptions } from "antd";
import { useEffect } from "react";
import { Copyable, Empty, Head, Refresh, Shown } from "../../shared/parts";
import { to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useSession } from "../session";
import { When } from "../time";
import { type Entry, listTrust, type Own } from "./calls";
import { entriesOf, grouped, trusted, waiting } from "./entries";
import { EntryCard } from "./entry-card";
import "./trust.css";
import { words } from "./words";

/** The gateway tries by itself, so that a certificate may come while one looks. */
const LOOK_MS = 5000;

function Part({ title, none, entries, onDone }: { title: string; none: string; entries: Entry[]; onDone: () => void }) {
  return (
    <section aria-label={title} className="ps-stack">
      <h2 className="gt-title">{title}</h2>
      {entries.length === 0 ? (
        <Empty text={none} />
      ) : (
        <div className="gt-entries">
          {entries.map((entry) => (
            <EntryCard key={`${entry.state} ${entry.fingerprint}`} entry={entry} onDone={onDone} />
          ))}
        </div>
      )}
    </section>
  );
}

function OwnCard({ own }: { own: Own | null }) {
  const items = own && [
    { key: "file", label: words.ownFile, children: own.path },
    { key: "fingerprint", label: words.rows.fingerprint, children: <Copyable text={own.fingerprint} short={grouped(own.fingerprint)} /> },
    { key: "uri", label: words.rows.uri, children: own.uri },
    { key: "valid", label: words.rows.valid, children: <span>{words.to} <When at={own.not_after} /></span> },
  ];
  return (
    <Card size="small" className="gt-entry" title={<h2>{words.own}</h2>}>
      <p>{items ? words.ownText : words.ownNone}</p>
      {items && <Descriptions size="small" column={1} items={items} />}
    </Card>
  );
}

function List({ device }: { device: string | undefined }) {
  const { can } = useSession();
  const loaded = useLoad(listTrust);
  const { reload } = loaded;
  useEffect(() => {
    const timer = setInterval(reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <>
      <Head title={words.title}>
        <Refresh loaded={loaded} />
      </Head>
      <div className="ps-stack">
        <p className="ps-quiet">{words.about}</p>
        {!can("administrator") && <Alert type="info" showIcon title={words.mayNotAct} />}
        {device !== undefined && (
          <div className="ps-row">
            <span>{words.only(device)}</span>
            <Button size="small" href={to("trust")}>
              {words.all}
            </Button>
          </div>
        )}
        <Shown loaded={loaded}>
          {({ own, items }) => {
            const shown = entriesOf(items, device);
            const [waits, ok] = [waiting(shown), trusted(shown)];
            return device !== undefined && shown.length === 0 ? (
              <Empty text={words.noneOf(device)} />
            ) : (
              <>
                <Part title={words.waiting(waits.length)} none={words.noneWaiting} entries={waits} onDone={reload} />
                <Part title={words.trusted(ok.length)} none={words.noneTrusted} entries={ok} onDone={reload} />
                <OwnCard own={own} />
              </>
            );
          }}
        </Shown>
      </div>
    </>
  );
}

export default function TrustPage({ parts }: { parts: string[] }) {
  const { can } = useSession();
  return can("engineer") ? (
    <List device={parts[0]} />
  ) : (
    <>
      <Head title={words.title} />
      <Empty text={words.mayNotSee} />
    </>
  );
}
