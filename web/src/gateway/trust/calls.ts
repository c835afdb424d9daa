// Certificates of OPC UA servers as the API has them, and the decisions about them.
import { get, send } from "../api";

export interface Entry {
  fingerprint: string;
  state: "trusted" | "rejected";
  subject: string;
  /** Application it is for. */
  uri: string;
  /** Names and addresses it is for. */
  hosts: string;
  /** Where it was met first. */
  endpoint: string;
  /** Names that do not match; "" mostly. */
  warning: string;
  devices: string[];
  not_before: number;
  not_after: number;
  met: number;
}

export interface Own {
  path: string;
  fingerprint: string;
  subject: string;
  uri: string;
  not_after: number;
}

export interface Trust {
  /** Null before the first protected connection. */
  own: Own | null;
  items: Entry[];
}

export const listTrust = () => get<Trust>("trust");

export const accept = (certificate: string) => send("POST", "trust/accept", { certificate });

export const revoke = (certificate: string) => send("POST", "trust/revoke", { certificate });
