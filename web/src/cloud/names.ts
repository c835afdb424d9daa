// Names of files, resources and certificates as AWS's console shows them. Pure.

/** AWS's names for the files of a certificate begin with the first ten digits of its id. */
export const files = (certificateId: string) => {
  const start = certificateId.slice(0, 10);
  return {
    certificate: `${start}-certificate.pem.crt`,
    privateKey: `${start}-private.pem.key`,
    publicKey: `${start}-public.pem.key`,
  };
};

export const ROOT_CA = "AmazonRootCA1.pem";

/** The last part of an ARN: `arn:aws:iot:region:account:cert/ID` -> `ID`. */
export const fromArn = (arn: string) => arn.slice(arn.indexOf("/") + 1);

export const isCertificateArn = (arn: string) => /^arn:[^:]*:iot:[^:]*:[^:]*:cert\//.test(arn);

/** Region and account that an ARN names. */
export function whereOf(arn: string): { region: string; account: string } {
  const parts = arn.split(":");
  return { region: parts[3] ?? "", account: parts[4] ?? "" };
}

const MOST_POLICY_NAME = 128;
const MOST_THING_NAME = 128;

export const isThingName = (name: string) => name.length <= MOST_THING_NAME && /^[a-zA-Z0-9:_-]+$/.test(name);

export const isPolicyName = (name: string) => name.length <= MOST_POLICY_NAME && /^[\w+=,.@-]+$/.test(name);
