// Between the `cloud` block of penstock.json and the form: which fields each type has, and what is
// sent. Pure.

export interface CloudBlock {
  enable?: boolean;
  type?: string;
  endpoint?: string;
  port?: number;
  client_id?: string;
  cert?: string;
  key?: string;
  root_ca?: string;
  tls?: boolean;
  username?: string;
  password_file?: string;
  [key: string]: unknown;
}

export const AWS = "AWS IoT";
export const MQTT = "Standard MQTT";

export const isAws = (values: CloudBlock) => (values.type ?? AWS) === AWS;

/** Server and files are encrypted and checked: the three imports are there. */
export const hasFiles = (values: CloudBlock) => isAws(values) || values.tls === true;

const AWS_ADVANCED = ["port", "keepalive", "clean_session", "alpn", "window", "publish_rate", "publish_kib"];
const MQTT_FIRST = ["port", "keepalive", "tls", "clean_session", "mqtt_version"];
const MQTT_ADVANCED = ["window", "publish_rate", "publish_kib"];

/** Fields below the first four, in the order of the manual; and those of Advanced Settings. */
export function keysOf(values: CloudBlock): { first: string[]; advanced: string[] } {
  if (isAws(values)) {
    return { first: [], advanced: AWS_ADVANCED };
  }
  return { first: MQTT_FIRST, advanced: values.tls === true ? ["alpn", ...MQTT_ADVANCED] : MQTT_ADVANCED };
}

const ALWAYS = ["enable", "type", "endpoint", "client_id"];

/** What is sent: fields of the chosen type that are filled in; others would say what does not hold. */
export function blockOf(values: CloudBlock): CloudBlock {
  const { first, advanced } = keysOf(values);
  const keys = new Set([...ALWAYS, ...first, ...advanced]);
  if (hasFiles(values)) {
    ["cert", "key", "root_ca"].forEach((key) => keys.add(key));
  }
  if (!isAws(values)) {
    ["username", "password_file", "password"].forEach((key) => keys.add(key));
  }
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => keys.has(key) && value !== undefined && value !== null && value !== ""),
  );
}

const usualPort = (values: CloudBlock) => (isAws(values) ? 8883 : values.tls === true ? 8883 : 1883);

/** Another type or encryption has another port, unless somebody chose one of his own. */
export function follow(was: CloudBlock, next: CloudBlock): CloudBlock {
  const kept = next.port !== was.port || (was.port !== undefined && was.port !== usualPort(was));
  return kept ? next : { ...next, port: usualPort(next) };
}

/** Whether two blocks say the same: keys without a value count as not there. */
export function same(a: CloudBlock, b: CloudBlock): boolean {
  const text = (block: CloudBlock) =>
    JSON.stringify(
      Object.entries(block)
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return text(a) === text(b);
}

/** What the manual says about an endpoint that was pasted with more around it. */
export function endpointAdvice(endpoint: string, aws: boolean): string {
  if (/^[a-z]+:\/\//i.test(endpoint)) {
    return "Without scheme: leave out what stands before the host name.";
  }
  if (/[/:]/.test(endpoint) && !/^[0-9a-f:]+$/i.test(endpoint)) {
    return "The host name alone, without port or path; the port has a field of its own.";
  }
  if (aws && /^[a-z0-9]+\.iot\.[a-z0-9-]+\.amazonaws\.com/.test(endpoint)) {
    return "Without -ats the server's certificate is of the old VeriSign root; with Amazon or Starfield roots the endpoint has -ats.";
  }
  return "";
}
