// The frame of all pages: menu in the order of Device Supervisor, the user's menu, active alarms.
import {
  AlertOutlined,
  ApartmentOutlined,
  BellOutlined,
  CloudOutlined,
  ControlOutlined,
  DashboardOutlined,
  FileTextOutlined,
  HistoryOutlined,
  MailOutlined,
  TeamOutlined,
  UnorderedListOutlined,
  UserOutlined,
} from "@ant-design/icons";
import { Alert, Badge, Button, Dropdown, Grid } from "antd";
import { type ReactNode, useEffect, useState } from "react";
import { useDo } from "../shared/parts";
import { go, to, useRoute } from "../shared/route";
import { Shell } from "../shared/shell";
import { get } from "./api";
import { useEvents } from "./events";
import { PasswordWindow } from "./password";
import { revisionIs } from "./revision-store";
import { logOut, useSession } from "./session";
import { type SmallStatus } from "./status";
import { span } from "./time";
import { words } from "./words";

const ITEMS = [
  { key: "overview", icon: <DashboardOutlined aria-hidden />, label: words.overview },
  {
    key: "monitoring",
    type: "group" as const,
    label: words.monitoring,
    children: [
      { key: "devices", icon: <UnorderedListOutlined aria-hidden />, label: words.devices },
      { key: "groups", icon: <ApartmentOutlined aria-hidden />, label: words.groups },
      { key: "alarms", icon: <AlertOutlined aria-hidden />, label: words.alarms },
    ],
  },
  {
    key: "forwarding",
    type: "group" as const,
    label: words.forwarding,
    children: [
      { key: "cloud", icon: <CloudOutlined aria-hidden />, label: words.cloud },
      { key: "messages", icon: <MailOutlined aria-hidden />, label: words.messages },
    ],
  },
  {
    key: "system",
    type: "group" as const,
    label: words.system,
    children: [
      { key: "parameters", icon: <ControlOutlined aria-hidden />, label: words.parameters },
      { key: "logs", icon: <FileTextOutlined aria-hidden />, label: words.logs },
      { key: "revisions", icon: <HistoryOutlined aria-hidden />, label: words.revisions },
      { key: "users", icon: <TeamOutlined aria-hidden />, label: words.users },
    ],
  },
];

/** Pages that are reached from another one, whose item is marked. */
const BEHIND: Record<string, string> = { trust: "devices" };

function UserMenu() {
  const { name, role } = useSession();
  const act = useDo();
  const wide = Grid.useBreakpoint().md ?? true;
  const [changing, setChanging] = useState(false);
  const items = [
    { key: "who", label: words.you(name, words.roles[role]), disabled: true },
    { key: "password", label: words.changePassword },
    { key: "out", label: words.logOut },
  ];
  const choose = ({ key }: { key: string }) => (key === "out" ? void act(logOut) : setChanging(key === "password"));
  return (
    <>
      <Dropdown trigger={["click"]} menu={{ items, onClick: choose }}>
        <Button type="text" icon={<UserOutlined />} aria-label={words.you(name, words.roles[role])}>
          {wide && <span className="ps-who">{name}</span>}
        </Button>
      </Dropdown>
      <PasswordWindow open={changing} onClose={() => setChanging(false)} />
    </>
  );
}

/** What the frame itself shows of the gateway's state, from the first answer and then live. */
function useStatus() {
  const [status, setStatus] = useState<SmallStatus>();
  useEffect(() => {
    let here = true;
    get<SmallStatus>("status").then(
      (first) => here && setStatus((was) => was ?? first),
      () => undefined, // the pages say what is wrong
    );
    return () => {
      here = false;
    };
  }, []);
  useEvents<SmallStatus>({ status: true }, { onStatus: (next) => setStatus(next) });
  useEffect(() => revisionIs(status?.revision), [status?.revision]);
  return status;
}

function Trial({ status }: { status: SmallStatus | undefined }) {
  const probation = typeof status?.revision === "object" ? status.revision?.probation : undefined;
  return probation ? (
    <Alert
      type="warning"
      showIcon
      banner
      style={{ marginBottom: 16 }}
      title={(probation.stays_if === "healthy" ? words.trialHealthy : words.trial)(probation.number, span(probation.left_s))}
      action={
        <Button size="small" href={to("revisions")}>
          {words.trialLook}
        </Button>
      }
    />
  ) : null;
}

export function Frame({ children }: { children: ReactNode }) {
  const [place = "overview"] = useRoute();
  const status = useStatus();
  const active = status?.alarms?.active ?? 0;
  const bell = (
    <Badge count={active} size="small" offset={[-6, 6]}>
      <Button type="text" icon={<BellOutlined />} aria-label={words.alarmsActive(active)} href={to("alarms")} />
    </Badge>
  );
  return (
    <Shell
      name={words.name}
      about={words.about}
      items={ITEMS}
      selected={BEHIND[place] ?? place}
      onSelect={(key) => go(key)}
      extra={
        <>
          {bell}
          <UserMenu />
        </>
      }
    >
      {place !== "revisions" && <Trial status={status} />}
      {children}
    </Shell>
  );
}
