// node-opcua's client, one deed a run, the outcome as JSON:
//   node opcua_client.mjs FOLDER URL JSON
// JSON: {policy, mode, user, password, read: [...], write: {node: [type, value]}, browse: node, watch: node}
import path from "node:path";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { AttributeIds, ClientSubscription, DataType, MessageSecurityMode, OPCUAClient, SecurityPolicy, TimestampsToReturn, UserTokenType } from "node-opcua-client";

const [folder, url, json] = process.argv.slice(2);
const order = JSON.parse(json);
const out = {};

function plain(value) {
  return ArrayBuffer.isView(value) ? Array.from(value) : value;
}

async function watch(session, nodeId) {
  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 20, publishingEnabled: true });
  const item = await subscription.monitor({ nodeId, attributeId: AttributeIds.Value }, { samplingInterval: 50, queueSize: 10 }, TimestampsToReturn.Both);
  const seen = [];
  await new Promise((resolve) => {
    item.on("changed", (value) => {
      seen.push(plain(value.value.value));
      if (seen.length === 3) {
        resolve();
      }
    });
  });
  await subscription.terminate();
  return seen;
}

const certificates = new OPCUACertificateManager({ rootFolder: path.join(folder, "client"), automaticallyAcceptUnknownCertificate: true });
await certificates.initialize();
const client = OPCUAClient.create({
  endpointMustExist: false,
  securityPolicy: SecurityPolicy[order.policy ?? "None"],
  securityMode: MessageSecurityMode[order.mode ?? "None"],
  clientCertificateManager: certificates,
  connectionStrategy: { maxRetry: 2, initialDelay: 100 },
});
try {
  await client.connect(url);
  const session = await client.createSession(order.user ? { type: UserTokenType.UserName, userName: order.user, password: order.password } : undefined);
  const spaces = await session.readNamespaceArray();
  const full = (node) => node.replace("@", `ns=${spaces.indexOf("urn:penstock:sim")};s=`);
  out.read = {};
  for (const node of order.read ?? []) {
    const value = await session.read({ nodeId: full(node), attributeId: AttributeIds.Value });
    out.read[node] = [value.statusCode.name, plain(value.value?.value ?? null), DataType[value.value?.dataType ?? 0]];
  }
  out.write = {};
  for (const [node, [type, value]] of Object.entries(order.write ?? {})) {
    out.write[node] = (await session.write({ nodeId: full(node), attributeId: AttributeIds.Value, value: { value: { dataType: DataType[type], value } } })).name;
  }
  if (order.browse) {
    const found = await session.browse(full(order.browse));
    out.browse = found.references.map((row) => row.browseName.name);
  }
  if (order.watch) {
    out.watch = await watch(session, full(order.watch));
  }
  await session.close();
  await client.disconnect();
} catch (error) {
  out.error = String(error.message ?? error);
  await client.disconnect().catch(() => {});
}
console.log(`OUT ${JSON.stringify(out)}`);
process.exit(0);
