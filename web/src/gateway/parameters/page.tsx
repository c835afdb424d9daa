// Parameter Settings: serial ports, the gateway's own settings, custom parameters, the web server.
import { Alert, Card } from "antd";
import { useCallback } from "react";
import { Head, Shown } from "../../shared/parts";
import { to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { labels } from "../devices/labels";
import { findBlock, useOptions } from "../options";
import { useSession } from "../session";
import { BlockForm } from "./block-form";
import { getParameters, getWeb } from "./calls";
import { CustomParameters } from "./custom";
import "./parameters.css";
import { SerialPorts } from "./serial";
import { words } from "./words";

/** Device Supervisor's two first; the others as the gateway lists them. */
const FIRST = ["log_level", "catch_recording", "warning_recording"];
function useKeys(block: string, first: readonly string[] = []): string[] {
  const { data } = useOptions();
  const all = (findBlock(data, block)?.options ?? []).map(({ key }) => key);
  return [...first.filter((key) => all.includes(key)), ...all.filter((key) => !first.includes(key))];
}

function WebServer() {
  const { can } = useSession();
  const web = useLoad(useCallback(getWeb, []));
  const keys = useKeys("web");
  const mayEdit = can("administrator");
  return (
    <Card title={<h2>{words.web}</h2>}>
      <p>{words.webText}</p>
      {!mayEdit && <Alert type="info" showIcon title={words.webRole} style={{ marginBottom: 16 }} />}
      <Shown loaded={web}>{(value) => <BlockForm block="web" keys={keys} value={value} labels={labels.web} disabled={!mayEdit} onSaved={web.reload} />}</Shown>
    </Card>
  );
}

export default function ParametersPage() {
  const { can } = useSession();
  const parameters = useLoad(useCallback(getParameters, []));
  const keys = useKeys("parameters", FIRST);
  const canEdit = can("engineer");
  return (
    <>
      <Head title={words.title} />
      <div className="gp-cards">
        <SerialPorts canEdit={canEdit} />
        <Shown loaded={parameters}>
          {(value) => (
            <>
              <Card title={<h2>{words.defaults}</h2>}>
                <p>
                  {words.logNow} <a href={to("logs")}>{words.logPage}</a>
                </p>
                <BlockForm block="parameters" keys={keys} value={value} labels={labels.parameters} disabled={!canEdit} onSaved={parameters.reload} />
              </Card>
              <CustomParameters custom={value.custom ?? {}} canEdit={canEdit} onSaved={parameters.reload} />
            </>
          )}
        </Shown>
        <WebServer />
      </div>
    </>
  );
}
