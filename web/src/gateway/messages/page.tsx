// Message Management: the lists, the editor of a message, the dead letters.
import { Alert, Button, Tabs } from "antd";
import { useCallback, useEffect, useState } from "react";
import { Head, Refresh, Shown } from "../../shared/parts";
import { go, to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useEvents } from "../events";
import { useRevision } from "../revision-store";
import { getStatus, type Ledger, listMessages } from "./calls";
import { DeadLetters } from "./dead";
import { Editor } from "./editor";
import { MessageList } from "./lists";
import "./messages.css";
import { words } from "./words";

async function everything() {
  const [publish, subscribe, status] = await Promise.all([listMessages("publish"), listMessages("subscribe"), getStatus()]);
  return { publish, subscribe, workers: status.workers, ledgers: status.messages, link: status.link };
}

/** States of scripts are not among the events; they are asked for while the page is looked at. */
const LOOK_EVERY_MS = 5000;

function Lists({ dead, name }: { dead: boolean; name: string | undefined }) {
  const revision = useRevision();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- another revision is loaded anew
  const loaded = useLoad(useCallback(() => everything(), [revision]));
  const [told, setTold] = useState<Ledger[]>();
  useEvents<{ messages?: Ledger[] }>({ status: true }, { onStatus: ({ messages }) => messages && setTold(messages) });
  const { reload } = loaded;
  useEffect(() => setTold(undefined), [loaded.data]);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && reload(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <>
      <Head title={words.title}>
        <Refresh loaded={{ loading: false, reload }} />
        <Button href={to("cloud")}>{words.cloud}</Button>
      </Head>
      <Shown loaded={loaded}>
        {({ publish, subscribe, workers, ledgers: first, link }) => {
          const ledgers = told ?? first;
          const count = ledgers.reduce((sum, ledger) => sum + ledger.dead, 0);
          return (
            <>
              {link.state === "Not Enabled" && <Alert type="info" showIcon title={words.noScripts} />}
              <Tabs
                activeKey={dead ? "dead" : "lists"}
                destroyOnHidden
                onChange={(key) => (key === "dead" ? go("messages", "dead") : go("messages"))}
                items={[
                  {
                    key: "lists",
                    label: words.messages,
                    children: (
                      <div className="ps-stack">
                        <MessageList kind="publish" rows={publish} workers={workers} ledgers={ledgers} onChanged={reload} />
                        <MessageList kind="subscribe" rows={subscribe} workers={workers} ledgers={ledgers} onChanged={reload} />
                      </div>
                    ),
                  },
                  {
                    key: "dead",
                    label: count > 0 ? `${words.dead} (${count.toLocaleString("en")})` : words.dead,
                    children: <DeadLetters key={name} name={name} ledgers={ledgers} onChanged={reload} />,
                  },
                ]}
              />
            </>
          );
        }}
      </Shown>
    </>
  );
}

export default function MessagesPage({ parts }: { parts: string[] }) {
  const [place = "", name] = parts;
  if (place === "new-publish" || place === "new-subscribe") {
    const kind = place === "new-publish" ? "publish" : "subscribe";
    return <Editor key={place} kind={kind} name={undefined} />;
  }
  if ((place === "publish" || place === "subscribe") && name !== undefined) {
    return <Editor key={`${place}/${name}`} kind={place} name={name} />;
  }
  return <Lists dead={place === "dead"} name={place === "dead" ? name : undefined} />;
}
