// The gateway's interface: who may in, and which page stands for which address. A page is a folder
// with a page.tsx; it is loaded when it is opened first.
import { Spin } from "antd";
import { type ComponentType, lazy, type LazyExoticComponent, Suspense, useEffect } from "react";
import { LostError } from "../shared/api";
import { useConnection } from "../shared/connection";
import { Empty } from "../shared/parts";
import { useRoute } from "../shared/route";
import { words as shared } from "../shared/words";
import { openEventsAnew } from "./events";
import { Frame } from "./frame";
import { guardAddress } from "./guard";
import { Entrance } from "./login";
import { usePresence, whoAmI } from "./session";

type Page = { default: ComponentType<{ parts: string[] }> };

const PAGES: Record<string, LazyExoticComponent<Page["default"]>> = Object.fromEntries(
  Object.entries(import.meta.glob<Page>("./*/page.tsx")).map(([path, load]) => [path.split("/")[1] ?? "", lazy(load)]),
);

guardAddress();

function Place() {
  const [place = "overview", ...parts] = useRoute();
  const Page = PAGES[place];
  return (
    <Suspense fallback={<Spin style={{ margin: 32 }} aria-label={shared.loading} />}>
      {Page ? <Page parts={parts} /> : <Empty text={shared.nothingHere} />}
    </Suspense>
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
