// Why a value is as it is, in the gateway's words: what is asked, what came of it, what to do.
import { Alert, Descriptions, Drawer } from "antd";
import { type ReactNode, useCallback } from "react";
import { Refresh, Shown } from "../../shared/parts";
import { useLoad } from "../../shared/use-load";
import { When } from "../time";
import { type Explained, explain } from "./calls";
import { Dot } from "./variable-row";
import { words } from "./words";

function channelText(channel: Explained["channel"]): string {
  const { name, state, requests, errors, round_trip_ms } = channel;
  return [
    name,
    state,
    ...(requests > 0 ? [words.requests(requests, errors)] : []),
    ...(round_trip_ms > 0 ? [words.roundTrip(round_trip_ms)] : []),
  ].join(", ");
}

function Facts({ found }: { found: Explained }) {
  const good = found.state === "good";
  const rows: [keyof typeof words.explainRows, ReactNode][] = [
    [
      "state",
      <>
        <Dot quality={found.state} /> {found.state}
      </>,
    ],
    ["request", found.request.text],
    ["channel", channelText(found.channel)],
    ["last_error", found.last_error],
    ["next_try", found.next_try !== null && <When at={found.next_try} />],
  ];
  return (
    <>
      <Alert
        type={good ? "success" : "warning"}
        showIcon
        title={good && found.what_to_do === "" ? words.nothingWrong : words.whatToDo}
        description={found.what_to_do}
      />
      <Descriptions
        bordered
        size="small"
        column={1}
        items={rows.filter(([, value]) => value !== "" && value !== false).map(([key, children]) => ({ key, label: words.explainRows[key], children }))}
      />
    </>
  );
}

export function ExplainDrawer({ device, name, onClose }: { device: string; name: string; onClose: () => void }) {
  const found = useLoad(useCallback(() => explain(device, name), [device, name]));
  return (
    <Drawer open title={words.explain(name)} size={560} onClose={onClose} extra={<Refresh loaded={found} />}>
      <Shown loaded={found}>{(data) => <Facts found={data} />}</Shown>
    </Drawer>
  );
}
