// The cloud's console: its menu, and which page stands for which address. Pages are loaded when
// they are opened first.
import { ApiOutlined, LockOutlined, SettingOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { Spin } from "antd";
import { lazy, type ReactNode, Suspense } from "react";
import { Boundary } from "../shared/boundary";
import { Empty } from "../shared/parts";
import { go, useRoute } from "../shared/route";
import { Shell } from "../shared/shell";
import { words as shared } from "../shared/words";
import { words } from "./words";

const Things = lazy(() => import("./things"));
const ThingCreate = lazy(() => import("./thing-create"));
const ThingPage = lazy(() => import("./thing"));
const Certificates = lazy(() => import("./certificates"));
const CertificateCreate = lazy(() => import("./certificate-create"));
const CertificatePage = lazy(() => import("./certificate"));
const Policies = lazy(() => import("./policies"));
const PolicyCreate = lazy(() => import("./policy-create"));
const PolicyPage = lazy(() => import("./policy"));
const Test = lazy(() => import("./test"));
const Settings = lazy(() => import("./settings"));

const ITEMS = [
  {
    key: "manage",
    type: "group" as const,
    label: words.manage,
    children: [{ key: "things", icon: <UnorderedListOutlined />, label: words.things }],
  },
  {
    key: "secure",
    type: "group" as const,
    label: words.secure,
    children: [
      { key: "certificates", icon: <LockOutlined />, label: words.certificates },
      { key: "policies", icon: <LockOutlined />, label: words.policies },
    ],
  },
  { type: "divider" as const },
  { key: "test", icon: <ApiOutlined />, label: words.test },
  { key: "settings", icon: <SettingOutlined />, label: words.settings },
];

/** The page at `#/place/name`; names are free, so what creates stands under a place of its own. */
function page(place: string, name: string | undefined): ReactNode {
  switch (place) {
    case "things":
      return name === undefined ? <Things /> : <ThingPage key={name} name={name} />;
    case "create-thing":
      return <ThingCreate />;
    case "certificates":
      return name === undefined ? <Certificates /> : <CertificatePage key={name} id={name} />;
    case "create-certificate":
      return <CertificateCreate />;
    case "policies":
      return name === undefined ? <Policies /> : <PolicyPage key={name} name={name} />;
    case "create-policy":
      return <PolicyCreate />;
    case "test":
      return <Test />;
    case "settings":
      return <Settings />;
    default:
      return <Empty text={shared.nothingHere} />;
  }
}

const MENU_OF: Record<string, string> = {
  "create-thing": "things",
  "create-certificate": "certificates",
  "create-policy": "policies",
};

export function CloudConsole() {
  const [place = "things", name] = useRoute();
  return (
    <Shell name={words.name} about={words.about} items={ITEMS} selected={MENU_OF[place] ?? place} onSelect={(key) => go(key)}>
      <Boundary key={place}>
        <Suspense fallback={<Spin style={{ margin: 32 }} />}>{page(place, name)}</Suspense>
      </Boundary>
    </Shell>
  );
}
