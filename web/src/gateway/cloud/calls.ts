// The cloud's calls: settings, files, state, doctor.
import { get, path, send } from "../api";
import type { Changed } from "../edit";
import type { CloudBlock } from "./cloud-values";
import type { Link } from "./state";

/** A gateway that has never been told of a cloud answers a block in which nothing is set. */
export async function getCloud(): Promise<CloudBlock> {
  const block = await get<CloudBlock>("/cloud");
  return block.endpoint === "" && block.client_id === "" ? { enable: false } : block;
}

/** A new password is kept in a file of its own first: it never stands in the configuration. */
export async function putCloud({ password, ...block }: CloudBlock, base: number | undefined): Promise<Changed> {
  if (typeof password === "string" && password !== "") {
    block.password_file = (await send<{ path: string }>("PUT", "/cloud/password", { password })).path;
  }
  return send<Changed>("PUT", "/cloud", block, { base });
}

export interface CertificateFile {
  path: string;
  kind: "certificate" | "key" | "root" | "other";
  subject?: string;
  issuer?: string;
  not_before?: number | null;
  not_after?: number | null;
  days_left?: number | null;
  fingerprint?: string;
  key_type?: string;
  used_by?: string[];
  problem?: string | null;
  /** Of a key: the certificates it belongs to. */
  fits?: string[];
}

export const listFiles = async () => (await get<{ items: CertificateFile[] }>("/certificates")).items;

export const uploadFile = (name: string, text: string) => send<CertificateFile>("POST", "/certificates", { name, text });

export const deleteFile = (name: string) => send("DELETE", path`/certificates/${name}`);

export interface Step {
  step: string;
  ok: boolean | null;
  detail: string;
  cure: string;
}

const DOCTOR_PATIENCE_MS = 90_000;

export const examine = () =>
  send<{ steps: Step[] }>("POST", "/cloud/doctor", {}, undefined, { patience: DOCTOR_PATIENCE_MS }).then(({ steps }) => steps);

export const getLink = async () => (await get<{ link: Link }>("/status")).link;
