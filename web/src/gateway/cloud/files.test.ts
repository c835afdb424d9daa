import { describe, expect, it } from "vitest";
import type { CertificateFile } from "./calls";
import { fieldFor, findFile, fit, kindsOf, shortName, uploadName, validity } from "./files";

const files: CertificateFile[] = [
  { path: "certs/a-certificate.pem.crt", kind: "certificate", days_left: 400 },
  { path: "certs/b-certificate.pem.crt", kind: "certificate", days_left: 3 },
  { path: "certs/a-private.pem.key", kind: "key", fits: ["certs/a-certificate.pem.crt"] },
  { path: "certs/old.key", kind: "key" },
];

describe("a file", () => {
  it("is found by its path, absolute or below the configuration", () => {
    expect(findFile(files, "certs/old.key")?.kind).toBe("key");
    expect(findFile(files, "/etc/penstock/certs/old.key")?.kind).toBe("key");
    expect(findFile(files, "old.key")?.kind).toBe("key");
    expect(findFile(files, "")).toBeUndefined();
    expect(findFile(files, "key")).toBeUndefined();
    expect(shortName("certs/old.key")).toBe("old.key");
  });

  it("is uploaded under a name that the gateway takes", () => {
    expect(uploadName("4f2a-private.pem.key")).toBe("4f2a-private.pem.key");
    expect(uploadName("AmazonRootCA1 (1).pem")).toBe("AmazonRootCA1_1_.pem");
    expect(uploadName("../../.x")).toBe("x");
    expect(uploadName("証明書")).toBe("file.pem");
  });

  it("goes into the field that it is for", () => {
    expect(fieldFor("key", "cert")).toBe("key");
    expect(fieldFor("certificate", "key")).toBe("cert");
    expect(fieldFor("root", "key")).toBe("root_ca");
    expect(fieldFor("root", "cert")).toBe("cert");
    expect(kindsOf("key")).toEqual(["key"]);
  });

  it("fits or does not", () => {
    expect(fit(files, "certs/a-certificate.pem.crt", "certs/a-private.pem.key")).toBe("fits");
    expect(fit(files, "certs/b-certificate.pem.crt", "certs/a-private.pem.key")).toBe("fits not");
    expect(fit(files, "certs/b-certificate.pem.crt", "certs/old.key")).toBe("unknown");
    expect(fit(files, undefined, "certs/a-private.pem.key")).toBe("unknown");
  });

  it("is good, soon over, or over", () => {
    expect(files.map(validity)).toEqual(["good", "soon", "none", "none"]);
    expect(validity({ path: "x", kind: "certificate", days_left: -1 })).toBe("over");
  });
});
