// The tiles of the overview.
import { Tag } from "antd";
import { to } from "../../shared/route";
import type { History, SmallStatus } from "../status";
import { Since } from "../time";
import { backlogText, countsOf, countText, figuresOf, isUp, linkKind, rateText, sizeText } from "./figures";
import { Tile } from "./tile";
import { words } from "./words";

interface Props {
  status: SmallStatus;
  history: History;
}

const TONES = { connected: "good", connecting: "warn", disconnected: "bad", off: "calm", unknown: "calm" } as const;
const COLOURS = { connected: "success", connecting: "warning", disconnected: "error", off: "default", unknown: "default" } as const;

export function CloudTile({ status }: Pick<Props, "status">) {
  const { link } = status;
  const kind = linkKind(link?.state);
  return (
    <Tile
      title={words.cloud}
      href={to("cloud")}
      tone={TONES[kind]}
      figure={<Tag color={COLOURS[kind]}>{words.states[kind]}</Tag>}
      unit={kind === "off" || kind === "unknown" ? undefined : <Since at={link?.since} />}
    >
      {link?.endpoint ? (
        <div className="ps-mono">
          {link.type}: {link.endpoint}
          {link.port ? `:${link.port}` : ""}
        </div>
      ) : (
        <a href={to("cloud")}>{words.noCloud}</a>
      )}
      {link?.client_id && <div className="ps-mono">{link.client_id}</div>}
      {kind !== "connected" && link?.last_error && (
        <div className="ps-bad">
          {words.lastError}: {link.last_error}
        </div>
      )}
      {kind === "connected" && link?.connects !== undefined && <div>{words.connects(link.connects)}</div>}
    </Tile>
  );
}

const DOWN_SHOWN = 4;

export function DevicesTile({ status, history }: Props) {
  const { devices, up } = countsOf(status);
  const down = (status.devices ?? []).filter(({ state }) => !isUp(state));
  if (devices === 0) {
    return (
      <Tile title={words.devices} href={to("devices")} figure="0">
        <div>{words.noDevices}</div>
        <a href={to("devices")}>{words.addDevice}</a>
      </Tile>
    );
  }
  return (
    <Tile
      title={words.devices}
      href={to("devices")}
      tone={devices === undefined ? "calm" : down.length > 0 ? "bad" : "good"}
      figure={devices === undefined ? "–" : words.up(up ?? 0, devices)}
      unit={words.answer}
      curve={{ history, of: "devices_up", least: devices }}
    >
      {down.length === 0 && devices !== undefined && <div>{words.allUp}</div>}
      {down.slice(0, DOWN_SHOWN).map((device) => (
        <div key={device.name} className="ps-bad">
          <a href={to("devices", device.name)}>{device.name}</a>: {device.last_error || device.state}
        </div>
      ))}
      {down.length > DOWN_SHOWN && <div>{words.moreDown(down.length - DOWN_SHOWN)}</div>}
    </Tile>
  );
}

export function RateTile({ status, history }: Props) {
  const { messages_per_s: rate, values_per_s: values } = figuresOf(status);
  return (
    <Tile title={words.rate} figure={rateText(rate)} unit={words.acknowledged} curve={{ history, of: "messages_per_s" }}>
      {values !== undefined && <div>{words.values(rateText(values))}</div>}
    </Tile>
  );
}

export function BacklogTile({ status, history }: Props) {
  const { outbox } = status;
  const waiting = outbox?.waiting ?? 0;
  const left = backlogText(waiting, outbox?.delivery?.drained_per_s);
  const failing = outbox?.store_failing === true || outbox?.low_space === true;
  return (
    <Tile
      title={words.backlog}
      href={to("messages")}
      tone={failing ? "bad" : left ? "warn" : "good"}
      figure={countText(outbox?.waiting)}
      unit={words.waiting(waiting)}
      curve={{ history, of: "waiting", least: 10 }}
    >
      <div>{left ?? (waiting === 0 ? words.nothingWaits : "")}</div>
      {outbox?.disk_bytes !== undefined && <div>{words.onDisk(sizeText(outbox.disk_bytes))}</div>}
      {outbox?.store_failing && <div className="ps-bad">{words.storeFailing}</div>}
      {outbox?.low_space && <div className="ps-bad">{words.lowSpace}</div>}
    </Tile>
  );
}

export function AlarmsTile({ status, history }: Props) {
  const active = status.alarms?.active;
  const open = status.alarms?.unacknowledged ?? 0;
  return (
    <Tile
      title={words.alarms}
      href={to("alarms")}
      tone={active === undefined ? "calm" : active > 0 ? "bad" : "good"}
      figure={countText(active)}
      unit={words.active}
      curve={{ history, of: "alarms", least: 4 }}
    >
      {active === 0 && <div>{words.noAlarms}</div>}
      {open > 0 && <div>{words.unacknowledged(open)}</div>}
    </Tile>
  );
}

/** Days before the end at which a certificate is worth a word, and at which it is urgent. */
const WARN_DAYS = 60;
const URGENT_DAYS = 14;

export function CertificatesTile({ status }: Pick<Props, "status">) {
  const rows = [...(status.certificates ?? [])].sort((a, b) => a.days_left - b.days_left);
  const first = rows[0]?.days_left;
  const tone = first === undefined ? "calm" : first < URGENT_DAYS ? "bad" : first < WARN_DAYS ? "warn" : "good";
  return (
    <Tile
      title={words.certificates}
      href={to("cloud")}
      tone={tone}
      figure={first === undefined ? "–" : first < 0 ? words.expiredSince : words.days(Math.floor(first))}
      unit={first === undefined || first < 0 ? undefined : words.daysLeft}
    >
      {rows.length === 0 && <div>{words.noCertificates}</div>}
      {rows.map(({ path, days_left }) => (
        <div key={path} className={days_left < URGENT_DAYS ? "ps-bad ps-mono" : "ps-mono"}>
          {path.split("/").pop()}: {days_left < 0 ? words.expiredSince : words.days(Math.floor(days_left))}
        </div>
      ))}
    </Tile>
  );
}
