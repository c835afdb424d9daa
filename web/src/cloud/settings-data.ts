// What the server says about itself, as the settings page shows it. Pure.
import { words } from "./words";

export interface Port {
  name: string;
  label: string;
  port: number | undefined;
}

export interface Limit {
  name: string;
  value: string;
  usual: string;
  unit: string;
  range: string;
  help: string;
}

const LABELS: Record<string, string> = { mqtt: words.portMqtt, mqtt_alpn: words.portAlpn };

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export function facts(status: Record<string, unknown>): { ports: Port[]; account?: string; region?: string } {
  const ports = typeof status.ports === "object" && status.ports !== null ? Object.entries(status.ports) : [];
  return {
    ports: ports.map(([name, port]) => ({
      name,
      label: LABELS[name] ?? name,
      port: typeof port === "number" ? port : undefined,
    })),
    account: text(status.accountId),
    region: text(status.region),
  };
}

const shown = (value: unknown) => (value === undefined || value === null ? "" : String(value));

/** What is done where it is disputed what AWS does: rows beside the limits. */
function reactionsOf(json: object): [string, unknown][] {
  const reactions = (json as { reactions?: unknown }).reactions;
  return typeof reactions === "object" && reactions !== null ? Object.entries(reactions) : [];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** What a limit or reaction may be set to. */
function rangeOf({ min, max, values }: Record<string, unknown>): string {
  if (Array.isArray(values)) {
    return values.map(shown).join(", ");
  }
  return min === undefined || max === undefined ? "" : `${shown(min)} – ${shown(max)}`;
}

/** Limits come as a list, or as an object by name; a value may stand alone, and `about` say what it is. */
export function limitsOf(json: unknown): Limit[] {
  if (typeof json !== "object" || json === null) {
    return [];
  }
  const inner = (json as { limits?: unknown }).limits ?? json;
  if (typeof inner !== "object" || inner === null) {
    return [];
  }
  const rows: [string, unknown][] = Array.isArray(inner)
    ? inner.map((row) => [shown((row as { name?: unknown }).name), row])
    : Object.entries(inner);
  const about = (json as { about?: unknown }).about;
  return [...rows, ...reactionsOf(json)].map(([name, row]) => {
    const known = isObject(about) ? about[name] : undefined;
    const all: Record<string, unknown> = { ...(isObject(known) ? known : {}), ...(isObject(row) ? row : { value: row }) };
    return {
      name,
      value: shown(all.value),
      usual: shown(all.default),
      unit: shown(all.unit),
      range: rangeOf(all),
      help: shown(all.help),
    };
  });
}
