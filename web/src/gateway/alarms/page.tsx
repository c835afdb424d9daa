// Alarm: Realtime Alarms, Alarm Strategy, History Alarms.
import { Tabs } from "antd";
import { Head } from "../../shared/parts";
import { go } from "../../shared/route";
import "./alarms.css";
import { History } from "./history";
import { Realtime } from "./realtime";
import { Strategies } from "./strategies";
import { words } from "./words";

const TABS = [
  { key: "realtime", label: words.realtime, children: <Realtime /> },
  { key: "strategy", label: words.strategy, children: <Strategies /> },
  { key: "history", label: words.history, children: <History /> },
];

export default function AlarmPage({ parts }: { parts: string[] }) {
  const tab = parts[0] ?? "realtime";
  return (
    <>
      <Head title={words.title} />
      <Tabs className="ga-tabs" activeKey={tab} destroyOnHidden items={TABS} onChange={(key) => go("alarms", key)} />
    </>
  );
}
