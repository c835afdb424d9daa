// Overview: how the gateway is, at a glance, live.
import { Alert } from "antd";
import { Head, Shown } from "../../shared/parts";
import { useNow, span } from "../time";
import { FirstSteps } from "./first-steps";
import { LedgerCard } from "./ledger";
import { LinesCard } from "./lines-card";
import { AlarmsTile, BacklogTile, CertificatesTile, CloudTile, DevicesTile, RateTile } from "./tiles";
import { useLiveStatus } from "./use-status";
import { words } from "./words";

function Running({ version, started }: { version: string; started: number }) {
  const now = useNow();
  return <span className="ps-quiet">{words.version(version, span(now - started))}</span>;
}

export default function Overview() {
  const { loaded, status, history, at } = useLiveStatus();
  const problem = typeof status?.revision === "object" ? status.revision?.problem : undefined;
  return (
    <>
      <Head title={words.title}>{status?.version && <Running version={status.version} started={status.started ?? 0} />}</Head>
      <Shown loaded={{ ...loaded, data: status }}>
        {(all) => (
          <>
            {problem && <Alert type="warning" showIcon title={words.attention} description={problem} />}
            <FirstSteps status={all} />
            <div className="ps-tiles">
              <CloudTile status={all} />
              <DevicesTile status={all} history={history} />
              <RateTile status={all} history={history} />
              <BacklogTile status={all} history={history} />
              <AlarmsTile status={all} history={history} />
              <CertificatesTile status={all} />
            </div>
            {all.channels && <LinesCard lines={all.channels} at={at} />}
            <LedgerCard status={all} />
          </>
        )}
      </Shown>
    </>
  );
}
