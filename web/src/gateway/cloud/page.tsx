// Cloud: state, the form of the manual, the doctor.
import { Button } from "antd";
import { useCallback, useState } from "react";
import { Head, Refresh, Shown } from "../../shared/parts";
import { to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { loadOptions } from "../options";
import { useRevision } from "../revision-store";
import { useSession } from "../session";
import { getCloud } from "./calls";
import "./cloud.css";
import { Doctor } from "./doctor";
import { CloudForm } from "./form";
import { StatusBlock } from "./status";
import { words } from "./words";

export default function CloudPage() {
  const revision = useRevision();
  const loaded = useLoad(
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another revision is loaded anew
    useCallback(async () => ({ cloud: await getCloud(), blocks: await loadOptions() }), [revision]),
  );
  const { can } = useSession();
  const [dirty, setDirty] = useState(false);
  return (
    <>
      <Head title={words.title}>
        <Refresh loaded={loaded} />
        <Button href={to("messages")}>{words.messages}</Button>
      </Head>
      <div className="ps-stack">
        <StatusBlock />
        <div className="gc-columns">
          <Shown loaded={loaded}>
            {({ cloud, blocks }) => <CloudForm saved={cloud} blocks={blocks} onSaved={loaded.reload} onDirty={setDirty} />}
          </Shown>
          <Doctor unsaved={dirty} may={can("engineer")} />
        </div>
      </div>
    </>
  );
}
