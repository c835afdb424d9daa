// Where a device is shown whose server waits to be trusted: the way to the decision.
import { SafetyCertificateOutlined } from "@ant-design/icons";
import { Alert, Button } from "antd";
import { useCallback } from "react";
import { to } from "../../shared/route";
import { useLoad } from "../../shared/use-load";
import { useSession } from "../session";
import { listTrust } from "./calls";
import { waiting } from "./entries";
import { words } from "./words";

interface Asked {
  name: string;
  protocol: string;
  away: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Those of the devices whose server has shown a certificate that nobody has accepted. Asks only when one of them is away. */
export function useWaiting(devices: readonly Asked[]): ReadonlySet<string> {
  const { can } = useSession();
  const away = devices.filter((device) => device.protocol === "OPCUA" && device.away).map(({ name }) => name);
  const key = can("engineer") ? JSON.stringify(away) : "[]";
  const { data } = useLoad(
    useCallback(async () => {
      const names = JSON.parse(key) as string[];
      if (names.length === 0) {
        return NOBODY;
      }
      const { items } = await listTrust();
      const met = new Set(waiting(items).flatMap(({ devices: of }) => of));
      return new Set(names.filter((name) => met.has(name)));
    }, [key]),
  );
  return data ?? NOBODY;
}

/** On a device's card. */
export function WaitsMark({ device }: { device: string }) {
  return (
    <a className="gd-card-waits" href={to("trust", device)} aria-label={words.decideFor(device)} title={words.decideFor(device)}>
      <SafetyCertificateOutlined aria-hidden /> {words.decide}
    </a>
  );
}

/** In the explanation of a value. */
export function WaitsNote({ device, protocol, away }: { device: string; protocol: string; away: boolean }) {
  return useWaiting([{ name: device, protocol, away }]).has(device) ? (
    <Alert
      type="info"
      showIcon
      icon={<SafetyCertificateOutlined />}
      title={words.waits}
      action={
        <Button size="small" type="primary" href={to("trust", device)}>
          {words.decide}
        </Button>
      }
    />
  ) : null;
}
