// The Cloud Status block: the state in the words of Device Supervisor, since when, and the last
// error with its cure.
import { Alert, Badge, Card, Descriptions, Typography } from "antd";
import { useEffect, useState } from "react";
import { Shown } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { useEvents } from "../events";
import { useNow, When } from "../time";
import { getLink } from "./calls";
import { CONNECTED, connectionTime, failure, type Link, mood } from "./state";
import { words } from "./words";

export function useLink() {
  const loaded = useLoad(getLink);
  const [told, setTold] = useState<Partial<Link>>();
  useEvents<{ link?: Partial<Link> }>({ status: true }, { onStatus: ({ link }) => link && setTold(link) });
  useEffect(() => setTold(undefined), [loaded.data]);
  return { ...loaded, data: loaded.data && { ...loaded.data, ...told } };
}

function LastError({ link }: { link: Link }) {
  if (link.last_error === "") {
    return null;
  }
  const { step, cause, cure } = failure(link.last_error);
  const over = link.state === CONNECTED;
  if (over) {
    // It runs again: for whoever wants to know, nothing to be done.
    return (
      <Typography.Text type="secondary">
        {words.lastInterruption} <When at={link.last_error_at} />: {step === "" ? cause : `${step}: ${cause}`}
      </Typography.Text>
    );
  }
  return (
    <Alert
      type="error"
      showIcon
      title={
        <>
          {words.lastError}
          {link.last_error_at ? (
            <>
              {", "}
              <When at={link.last_error_at} />
            </>
          ) : null}
        </>
      }
      description={
        <>
          <div>{step === "" ? cause : `${step}: ${cause}`}</div>
          {cure !== "" && (
            <div>
              {words.whatToDo} {cure}
            </div>
          )}
        </>
      }
    />
  );
}

const count = (number: number | undefined) => (number === undefined ? words.notSaid : number.toLocaleString("en"));

export function StatusBlock() {
  const loaded = useLink();
  const now = useNow();
  return (
    <Card size="small">
      <Shown loaded={loaded}>
        {(link) => (
          <>
            <Descriptions
              size="small"
              column={{ xs: 1, sm: 2, lg: 3, xxl: 6 }}
              items={[
                { key: "state", label: words.state, children: <Badge status={mood(link.state)} text={<strong>{link.state}</strong>} /> },
                { key: "time", label: words.connectionTime, children: <span className="ps-mono">{connectionTime(link, now) || words.notSaid}</span> },
                { key: "server", label: words.server, children: link.endpoint ? `${link.endpoint}:${link.port ?? ""}` : words.notSaid },
                { key: "client", label: words.client, children: link.client_id || words.notSaid },
                { key: "acknowledged", label: words.acknowledged, children: count(link.acknowledged) },
                { key: "received", label: words.received, children: count(link.received) },
              ]}
            />
            <div role="status">
              <LastError link={link} />
            </div>
          </>
        )}
      </Shown>
    </Card>
  );
}
