// An OPC UA server not written by us: node-opcua's, with a folder for its keys. Commands on standard
// input, one JSON answer each:
//   node opcua_server.mjs FOLDER PORT
//   set NAME VALUE | get NAME | reads NAME | sessions | subscriptions | remove NAME | add NAME | trust PATH | quit
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { DataType, MessageSecurityMode, SecurityPolicy, StatusCodes, VariantArrayType } from "node-opcua-client";
import { OPCUAServer } from "node-opcua-server";

const [folder, port] = process.argv.slice(2);
const URI = "urn:penstock:foreign";

// name, type, value at the start
const SCALARS = [
  ["Boolean", DataType.Boolean, true],
  ["SByte", DataType.SByte, -8],
  ["Byte", DataType.Byte, 200],
  ["Int16", DataType.Int16, -32000],
  ["UInt16", DataType.UInt16, 65000],
  ["Int32", DataType.Int32, -2000000000],
  ["UInt32", DataType.UInt32, 4000000000],
  ["Int64", DataType.Int64, [0xffffffff, 0xfffffffe]], // -2
  ["UInt64", DataType.UInt64, [0x80000000, 0x800]], // 2^63 + 2^11
  ["Float", DataType.Float, 12.5],
  ["Double", DataType.Double, -0.125],
  ["String", DataType.String, "Kessel 3 \u00e4\u6e29"],
  ["Watched", DataType.Int32, 1],
];

function manager(name, automatic) {
  return new OPCUACertificateManager({ rootFolder: path.join(folder, name), automaticallyAcceptUnknownCertificate: automatic });
}

async function main() {
  const trusted = manager("pki", true);
  const users = manager("users", false);
  await trusted.initialize();
  await users.initialize();
  const server = new OPCUAServer({
    port: Number(port),
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    alternateHostname: ["127.0.0.1", "localhost"],
    resourcePath: "/plant",
    serverInfo: { applicationUri: "urn:penstock:foreign:server" },
    serverCertificateManager: trusted,
    userCertificateManager: users,
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: true,
    userManager: { isValidUser: (name, password) => name === "operator" && password === "se:cret" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace(URI);
  const plant = own.addFolder("ObjectsFolder", { browseName: "Plant", nodeId: "s=Plant" });
  const nodes = new Map();

  function add(name, dataType, value) {
    const node = own.addVariable({
      componentOf: plant,
      browseName: name,
      nodeId: `s=Plant.${name}`,
      dataType,
      minimumSamplingInterval: 20,
      accessLevel: "CurrentRead | CurrentWrite",
      userAccessLevel: "CurrentRead | CurrentWrite",
    });
    node.setValueFromSource({ dataType, arrayType: VariantArrayType.Scalar, value });
    nodes.set(name, { node, dataType });
  }
  for (const row of SCALARS) {
    add(...row);
  }
  const numbers = own.addVariable({
    componentOf: plant,
    browseName: "Numbers",
    nodeId: "s=Plant.Numbers",
    dataType: DataType.Int32,
    valueRank: 1,
    arrayDimensions: [5],
    accessLevel: "CurrentRead | CurrentWrite",
    userAccessLevel: "CurrentRead | CurrentWrite",
  });
  numbers.setValueFromSource({ dataType: DataType.Int32, arrayType: VariantArrayType.Array, value: new Int32Array([10, 20, 30, 40, 50]) });
  nodes.set("Numbers", { node: numbers, dataType: DataType.Int32 });
  const bad = own.addVariable({ componentOf: plant, browseName: "Sensor", nodeId: "s=Plant.Sensor", dataType: DataType.Double, accessLevel: "CurrentRead", userAccessLevel: "CurrentRead" });
  bad.setValueFromSource({ dataType: DataType.Double, value: 0 }, StatusCodes.BadSensorFailure);
  own.addVariable({ componentOf: plant, browseName: "Pressure", nodeId: "i=1001", dataType: DataType.Double }).setValueFromSource({ dataType: DataType.Double, value: 1.25 });

  const read = {}; // how often the value of each node was asked for
  server.on("request", (request) => {
    for (const { nodeId } of request.nodesToRead ?? []) {
      read[nodeId.value] = (read[nodeId.value] ?? 0) + 1;
    }
  });
  await server.start();

  const commands = {
    set: (name, ...words) => {
      const { node, dataType } = nodes.get(name);
      const value = dataType === DataType.String ? words.join(" ") : dataType === DataType.Boolean ? words[0] === "true" : Number(words[0]);
      node.setValueFromSource({ dataType, value });
      return "ok";
    },
    get: (name) => {
      const value = nodes.get(name).node.readValue().value.value;
      return ArrayBuffer.isView(value) ? Array.from(value) : value;
    },
    reads: (name) => read[`Plant.${name}`] ?? 0,
    sessions: () => server.engine.currentSessionCount,
    subscriptions: () => server.engine.currentSubscriptionCount,
    remove: (name) => {
      space.deleteNode(nodes.get(name).node);
      return "ok";
    },
    add: (name) => {
      add(...SCALARS.find((row) => row[0] === name));
      return "ok";
    },
    // The certificate of a user, DER.
    trust: async (file) => {
      await users.trustCertificate(fs.readFileSync(file));
      return "ok";
    },
    quit: async () => {
      await server.shutdown(0);
      process.exit(0);
    },
  };
  console.log(JSON.stringify({ ready: true, uri: URI, index: own.index }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, ...words] = line.trim().split(" ");
    let answer;
    try {
      answer = await commands[name](...words);
    } catch (error) {
      answer = { error: String(error) };
    }
    console.log(JSON.stringify(answer));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
