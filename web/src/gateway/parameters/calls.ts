// Parameters, serial ports and the web block as the API has them.
import { get } from "../api";

export interface Parameters extends Record<string, unknown> {
  /** A value that the gateway does not tell is null. */
  custom?: Record<string, string | null>;
}

export const getParameters = () => get<Parameters>("/parameters");
export const getWeb = () => get<Record<string, unknown>>("/web");
