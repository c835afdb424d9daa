// The cards of the devices: which one is chosen decides the table of variables below.
import { DeleteOutlined, EditOutlined } from "@ant-design/icons";
import { Button, Checkbox } from "antd";
import { to } from "../../shared/route";
import { WaitsMark } from "../trust/waits";
import type { Device } from "./calls";
import { words } from "./words";

export interface CardProps {
  device: Device;
  chosen: boolean;
  ticked: boolean;
  canEdit: boolean;
  /** Its server's certificate waits to be accepted. */
  waits: boolean;
  onTick: (ticked: boolean) => void;
  onEdit: () => void;
  onDelete: () => void;
}

/** `IP: 10.5.16.82`, `Slave: 3`: where it is. */
export function placeOf({ ip, port, slave, serial, protocol, url }: Device): string {
  if (protocol === "Simulator") {
    return "";
  }
  if (url !== undefined && url !== "") {
    return url;
  }
  if ((ip ?? "") === "") {
    return `${words.slave}: ${slave}${serial ? ` (${serial})` : ""}`;
  }
  return `${words.ip}: ${ip}:${port}${protocol === "ModbusRTU" ? `, ${words.slave} ${slave}` : ""}`;
}

/** By the gateway's words; all others are grey. */
const DOTS: Record<string, string> = { answers: "gd-good", away: "gd-bad" };

export function DeviceCard({ device, chosen, ticked, canEdit, waits, onTick, onEdit, onDelete }: CardProps) {
  const name = device.device_name;
  const state = device.state ?? "";
  const stateText = words.states[state as keyof typeof words.states] ?? state;
  const small = { size: "small", type: "text" } as const;
  return (
    <li className={chosen ? "gd-card gd-chosen" : "gd-card"}>
      <div className="gd-card-head">
        {canEdit && <Checkbox aria-label={words.selectDevice(name)} checked={ticked} onChange={(event) => onTick(event.target.checked)} />}
        <span className={`gd-dot ${DOTS[state] ?? ""}`}
          role="img"
          aria-label={stateText}
          title={device.last_error && state === "away" ? `${stateText}: ${device.last_error}` : stateText}
        />
        <a className="gd-card-name" href={to("devices", name)} aria-current={chosen ? "true" : undefined} title={name}>
          {name}
        </a>
        {canEdit && (
          <span className="gd-card-actions">
            <Button {...small} icon={<EditOutlined />} aria-label={words.editDevice(name)} onClick={onEdit} />
            <Button {...small} danger icon={<DeleteOutlined />} aria-label={words.deleteDevice(name)} onClick={onDelete} />
          </span>
        )}
      </div>
      <div className="gd-card-protocol">{device.protocol}</div>
      <div className="gd-card-place" title={placeOf(device)}>
        {placeOf(device)}
      </div>
      {waits && <WaitsMark device={name} />}
    </li>
  );
}
