// What the gateway recognised in a file, and in which field it belongs. Pure.
import type { CertificateFile } from "./calls";

export const FIELDS = ["cert", "key", "root_ca"] as const;
export type Field = (typeof FIELDS)[number];

export const FILE_BYTES_MOST = 64 * 1024;

const baseName = (path: string) => path.split("/").pop() ?? path;

export const shortName = baseName;

/** As the gateway takes file names: browsers save "AmazonRootCA1 (1).pem". */
export function uploadName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._]+/, "") || "file.pem";
}

/** A path may be absolute in the configuration and relative in the list, or the other way round. */
export function findFile(files: readonly CertificateFile[], path: unknown): CertificateFile | undefined {
  if (typeof path !== "string" || path === "") {
    return undefined;
  }
  return files.find((file) => file.path === path) ?? files.find((file) => path.endsWith(`/${file.path}`) || file.path.endsWith(`/${path}`));
}

/** A key in the place of a certificate is put where it belongs; a CA stays where it was put. */
export function fieldFor(kind: CertificateFile["kind"], asked: Field): Field {
  if (kind === "key") {
    return "key";
  }
  return asked === "key" ? (kind === "root" ? "root_ca" : "cert") : asked;
}

/** The kinds that a field's choice shows. */
export const kindsOf = (field: Field): CertificateFile["kind"][] =>
  field === "key" ? ["key"] : field === "root_ca" ? ["root", "certificate"] : ["certificate", "root"];

export type Fit = "fits" | "fits not" | "unknown";

/** Does the private key belong to the certificate? */
export function fit(files: readonly CertificateFile[], cert: unknown, key: unknown): Fit {
  const keyFile = findFile(files, key);
  const certFile = findFile(files, cert);
  if (keyFile?.fits === undefined || certFile === undefined) {
    return "unknown";
  }
  return keyFile.fits.includes(certFile.path) ? "fits" : "fits not";
}

const SOON_DAYS = 30;

export function validity(file: CertificateFile): "good" | "soon" | "over" | "none" {
  if (file.days_left === undefined || file.days_left === null) {
    return "none";
  }
  return file.days_left < 0 ? "over" : file.days_left < SOON_DAYS ? "soon" : "good";
}
