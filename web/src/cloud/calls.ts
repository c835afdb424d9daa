// AWS IoT's calls that the console makes: one function each, under AWS's names. Paths, parameters
// and answers are those of the service's API models.
import { ask, askAll, path } from "../shared/api";

export interface Thing {
  thingName: string;
  thingArn: string;
  thingTypeName?: string;
  attributes?: Record<string, string>;
  version: number;
}

export interface ThingDetail extends Thing {
  thingId: string;
  defaultClientId: string;
}

export interface Certificate {
  certificateArn: string;
  certificateId: string;
  status: string;
  creationDate?: number;
}

export interface CertificateDetail extends Certificate {
  certificatePem: string;
  caCertificateId?: string;
  lastModifiedDate?: number;
  certificateMode?: string;
  validity?: { notBefore: number; notAfter: number };
}

export interface MadeCertificate {
  certificateArn: string;
  certificateId: string;
  certificatePem: string;
  keyPair: { PublicKey: string; PrivateKey: string };
}

export interface Policy {
  policyName: string;
  policyArn: string;
}

export interface PolicyDetail extends Policy {
  policyDocument: string;
  defaultVersionId: string;
  creationDate?: number;
  lastModifiedDate?: number;
}

export interface PolicyVersion {
  versionId: string;
  isDefaultVersion: boolean;
  createDate?: number;
}

const PAGE = 250;
const principal = (arn: string) => ({ "x-amzn-principal": arn });

// ---- things

export const listThings = () =>
  askAll(
    (nextToken) => ask<{ things: Thing[]; nextToken?: string }>("/things", { query: { maxResults: PAGE, nextToken } }),
    (page) => page.things,
    (page) => page.nextToken,
  );

export const describeThing = (name: string) => ask<ThingDetail>(path`/things/${name}`);

export const createThing = (name: string, attributes: Record<string, string>) =>
  ask<{ thingArn: string }>(path`/things/${name}`, {
    method: "POST",
    body: Object.keys(attributes).length > 0 ? { attributePayload: { attributes } } : {},
  });

/** Replaces all attributes, so that one left out is gone. */
export const updateThing = (name: string, attributes: Record<string, string>, expectedVersion: number) =>
  ask<unknown>(path`/things/${name}`, {
    method: "PATCH",
    body: { attributePayload: { attributes, merge: false }, expectedVersion },
  });

export const deleteThing = (name: string) => ask<unknown>(path`/things/${name}`, { method: "DELETE" });

export const listThingPrincipals = (name: string) =>
  askAll(
    (nextToken) =>
      ask<{ principals: string[]; nextToken?: string }>(path`/things/${name}/principals`, {
        query: { maxResults: PAGE, nextToken },
      }),
    (page) => page.principals,
    (page) => page.nextToken,
  );

export const attachThingPrincipal = (thing: string, arn: string) =>
  ask<unknown>(path`/things/${thing}/principals`, { method: "PUT", headers: principal(arn) });

export const detachThingPrincipal = (thing: string, arn: string) =>
  ask<unknown>(path`/things/${thing}/principals`, { method: "DELETE", headers: principal(arn) });

export const listPrincipalThings = (arn: string) =>
  askAll(
    (nextToken) =>
      ask<{ things: string[]; nextToken?: string }>("/principals/things", {
        query: { maxResults: PAGE, nextToken },
        headers: principal(arn),
      }),
    (page) => page.things,
    (page) => page.nextToken,
  );

// ---- certificates

export const listCertificates = () =>
  askAll(
    (marker) =>
      ask<{ certificates: Certificate[]; nextMarker?: string }>("/certificates", { query: { pageSize: PAGE, marker } }),
    (page) => page.certificates,
    (page) => page.nextMarker,
  );

export const describeCertificate = async (id: string) =>
  (await ask<{ certificateDescription: CertificateDetail }>(path`/certificates/${id}`)).certificateDescription;

export const createKeysAndCertificate = (setAsActive: boolean) =>
  ask<MadeCertificate>("/keys-and-certificate", { method: "POST", query: { setAsActive } });

export const updateCertificate = (id: string, newStatus: "ACTIVE" | "INACTIVE" | "REVOKED") =>
  ask<unknown>(path`/certificates/${id}`, { method: "PUT", query: { newStatus } });

export const deleteCertificate = (id: string) => ask<unknown>(path`/certificates/${id}`, { method: "DELETE" });

// ---- policies

export const listPolicies = () =>
  askAll(
    (marker) => ask<{ policies: Policy[]; nextMarker?: string }>("/policies", { query: { pageSize: PAGE, marker } }),
    (page) => page.policies,
    (page) => page.nextMarker,
  );

export const getPolicy = (name: string) => ask<PolicyDetail>(path`/policies/${name}`);

export const createPolicy = (name: string, policyDocument: string) =>
  ask<Policy>(path`/policies/${name}`, { method: "POST", body: { policyDocument } });

export const deletePolicy = (name: string) => ask<unknown>(path`/policies/${name}`, { method: "DELETE" });

export const listPolicyVersions = async (name: string) =>
  (await ask<{ policyVersions: PolicyVersion[] }>(path`/policies/${name}/version`)).policyVersions;

export const getPolicyVersion = (name: string, id: string) =>
  ask<{ policyDocument: string; isDefaultVersion: boolean }>(path`/policies/${name}/version/${id}`);

export const createPolicyVersion = (name: string, policyDocument: string, setAsDefault: boolean) =>
  ask<{ policyVersionId: string }>(path`/policies/${name}/version`, {
    method: "POST",
    query: { setAsDefault },
    body: { policyDocument },
  });

export const setDefaultPolicyVersion = (name: string, id: string) =>
  ask<unknown>(path`/policies/${name}/version/${id}`, { method: "PATCH" });

export const deletePolicyVersion = (name: string, id: string) =>
  ask<unknown>(path`/policies/${name}/version/${id}`, { method: "DELETE" });

export const attachPolicy = (name: string, target: string) =>
  ask<unknown>(path`/target-policies/${name}`, { method: "PUT", body: { target } });

export const detachPolicy = (name: string, target: string) =>
  ask<unknown>(path`/target-policies/${name}`, { method: "POST", body: { target } });

export const listAttachedPolicies = (target: string) =>
  askAll(
    (marker) =>
      ask<{ policies: Policy[]; nextMarker?: string }>(path`/attached-policies/${target}`, {
        method: "POST",
        query: { pageSize: PAGE, marker },
      }),
    (page) => page.policies,
    (page) => page.nextMarker,
  );

export const listTargetsForPolicy = (name: string) =>
  askAll(
    (marker) =>
      ask<{ targets: string[]; nextMarker?: string }>(path`/policy-targets/${name}`, {
        method: "POST",
        query: { pageSize: PAGE, marker },
      }),
    (page) => page.targets,
    (page) => page.nextMarker,
  );

// ---- shadows and messages

export const getThingShadow = (thing: string, name: string) =>
  ask<Record<string, unknown>>(path`/things/${thing}/shadow`, { query: { name } });

export const updateThingShadow = (thing: string, name: string, document: string) =>
  ask<unknown>(path`/things/${thing}/shadow`, { method: "POST", query: { name }, body: document });

export const deleteThingShadow = (thing: string, name: string) =>
  ask<unknown>(path`/things/${thing}/shadow`, { method: "DELETE", query: { name } });

export const listNamedShadows = (thing: string) =>
  askAll(
    (nextToken) =>
      ask<{ results: string[]; nextToken?: string }>(path`/api/things/shadow/ListNamedShadowsForThing/${thing}`, {
        query: { pageSize: 100, nextToken },
      }),
    (page) => page.results,
    (page) => page.nextToken,
  );

export interface Publication {
  topic: string;
  payload: string;
  qos: 0 | 1;
  retain: boolean;
  contentType?: string;
  responseTopic?: string;
  messageExpiry?: number;
}

export const publish = ({ topic, payload, ...query }: Publication) =>
  ask<unknown>(path`/topics/${topic}`, { method: "POST", query, body: payload });

// ---- settings

export const describeEndpoint = async () =>
  (await ask<{ endpointAddress: string }>("/endpoint", { query: { endpointType: "iot:Data-ATS" } })).endpointAddress;

/** What AWS has no call for; members that this server does not know are absent. */
export const status = () => ask<Record<string, unknown>>("/_penstock/status");

export const limits = () => ask<unknown>("/_penstock/limits");

/** The server's root certificate as text, by AWS's file name. */
export const rootCa = async (name: string) => (await ask<{ pem: string }>(path`/_penstock/roots/${name}`)).pem;
