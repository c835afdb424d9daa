// The gateway's interface: who may in, and which page stands for which address. A page is a folder
// with a page.tsx; it is loaded when it is opened first.
import { Spin } from "antd";
import { type ComponentType, lazy, type LazyExoticComponent, Suspense, useEffect } from "react";
import { LostError } from "../shared/api";
import { Boundary } from "../shared/boundary";
import { useConnection } from "../shared/connection";
import { Empty } from "../shared/parts";
import { persist } from "../shared/persist";
import { parts, useRoute } from "../shared/route";
import { words as shared } from "../shared/words";
import { openEventsAnew } from "./events";
import { Frame } from "./frame";
import { guardAddress } from "./guard";
import { Entrance } from "./login";
import { usePresence, whoAmI } from "./session";

type Page = { default: ComponentType<{ parts: string[] }> };

const LOADS = Object.fromEntries(
  Object.entries(import.meta.glob<Page>("./*/page.tsx")).map(([path, load]) => [path.split("/")[1] ?? "", load]),
);
const PAGES: Record<string, LazyExoticComponent<Page["default"]>> = Object.fromEntries(
  Object.entries(LOADS).map(([place, load]) => [place, lazy(() => persist(load))]),
);
const FIRST = "overview";

guardAddress();
// On its way while the server is asked who one is; should it fail, it is tried again when it is shown.
void LOADS[parts(window.location.hash)[0] ?? FIRST]?.().catch(() => undefined);

function Place() {
  const [place = FIRST, ...rest] = useRoute();
  const Page = PAGES[place];
  return (
    <Boundary key={place}>
      <Suspense fallback={<Spin style={{ margin: 32 }} aria-label={shared.loading} />}>
        {Page ? <Page parts={rest} /> : <Empty text={shared.nothingHere} />}
      </Suspense>
    </Boundary>
  );
}

export function Gateway() {
  const { presence, session } = usePresence();
  const { round } = useConnection();
  useEffect(() => {
    whoAmI().catch((error: unknown) => {
      if (!(error instanceof LostError)) {
        throw error;
      }
    });
  }, [round]);
  // Each log-in has its own token; the stream of the session before has ended.
  const login = session?.csrf;
  useEffect(openEventsAnew, [login]);
  if (presence === "in" || presence === "expired") {
    return (
      <Frame>
        <Place />
        {presence === "expired" && <Entrance presence={presence} />}
      </Frame>
    );
  }
  return <Entrance presence={presence} />;
}
