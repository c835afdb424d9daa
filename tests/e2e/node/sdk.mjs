// AWS's own device SDK against the local cloud, as a device's program uses it. The only argument is
// JSON: {host, port, ca, cert, key, client, thing, version: 3 or 5, step}. Prints one JSON line.
import { once } from "node:events";
import sdk from "aws-iot-device-sdk-v2";

const { iot, iotjobs, iotshadow, mqtt, mqtt5 } = sdk;
const facts = JSON.parse(process.argv[2]);
const LIMIT_MS = 30_000;

/** The first event of that name; a rejected promise when none comes. */
async function event(source, name) {
  const late = AbortSignal.timeout(LIMIT_MS);
  return (await once(source, name, { signal: late }))[0];
}

function client5() {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(facts.host, facts.cert, facts.key);
  builder.withCertificateAuthorityFromPath(undefined, facts.ca);
  builder.withPort(facts.port);
  builder.withConnectProperties({ clientId: facts.client, keepAliveIntervalSeconds: 60 });
  return new mqtt5.Mqtt5Client(builder.build());
}

function client3() {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(facts.cert, facts.key)
    .with_certificate_authority_from_path(undefined, facts.ca)
    .with_client_id(facts.client)
    .with_endpoint(facts.host)
    .with_port(facts.port)
    .with_clean_session(true)
    .with_keep_alive_seconds(60)
    .build();
  return new mqtt.MqttClient().new_connection(config);
}

/** The same five things with either version. */
async function connect() {
  if (facts.version === 3) {
    const connection = client3();
    await connection.connect();
    return {
      raw: connection,
      subscribe: async (topic) => (await connection.subscribe(topic, mqtt.QoS.AtLeastOnce)).qos,
      publish: (topic, text) => connection.publish(topic, text, mqtt.QoS.AtLeastOnce),
      message: async () => {
        const [topic, payload] = await once(connection, "message", { signal: AbortSignal.timeout(LIMIT_MS) });
        return { topic, text: Buffer.from(payload).toString() };
      },
      close: () => connection.disconnect(),
    };
  }
  const client = client5();
  const failed = once(client, "connectionFailure");
  client.start();
  const first = await Promise.race([event(client, "connectionSuccess"), failed]);
  if (Array.isArray(first)) {
    client.stop();
    throw Object.assign(new Error(String(first[0].error)), { reason: first[0].connack?.reasonCode });
  }
  return {
    raw: client,
    subscribe: async (topic) =>
      (await client.subscribe({ subscriptions: [{ topicFilter: topic, qos: mqtt5.QoS.AtLeastOnce }] })).reasonCodes[0],
    publish: async (topic, text) =>
      (await client.publish({ topicName: topic, payload: text, qos: mqtt5.QoS.AtLeastOnce })).reasonCode,
    message: async () => {
      const { message } = await event(client, "messageReceived");
      return { topic: message.topicName, text: Buffer.from(message.payload).toString() };
    },
    close: async () => {
      const stopped = event(client, "stopped");
      client.stop();
      await stopped;
      client.close();
    },
  };
}

function service(Client, device) {
  const options = { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 3, operationTimeoutInSeconds: 30 };
  return facts.version === 3 ? Client.newFromMqtt311(device.raw, options) : Client.newFromMqtt5(device.raw, options);
}

const STEPS = {
  async messages(device) {
    const topic = `sdk/${facts.client}`;
    const granted = await device.subscribe(topic);
    const arrived = device.message();
    await device.publish(topic, '{"value": 23.5}');
    return { granted, ...(await arrived) };
  },

  async shadow(device) {
    const shadow = service(iotshadow.IotShadowClientv2, device);
    const thingName = facts.thing;
    const stream = shadow.createShadowDeltaUpdatedStream({ thingName });
    stream.open();
    const subscribed = event(stream, "subscriptionStatus");
    const delta = event(stream, "incomingPublish");
    await subscribed;
    const updated = await shadow.updateShadow({ thingName, state: { desired: { light: "on" }, reported: { light: "off" } } });
    const got = await shadow.getShadow({ thingName });
    const changed = await delta;
    const missing = await shadow.getNamedShadow({ thingName, shadowName: "none" }).catch((error) => error);
    await shadow.deleteShadow({ thingName });
    stream.close();
    shadow.close();
    return {
      version: updated.version,
      state: got.state,
      delta: (changed.message ?? changed).state,
      missing: missing.modeledError?.code ?? String(missing),
    };
  },

  async jobs(device) {
    const jobs = service(iotjobs.IotJobsClientv2, device);
    const thingName = facts.thing;
    const pending = await jobs.getPendingJobExecutions({ thingName });
    const { execution } = await jobs.startNextPendingJobExecution({ thingName });
    await jobs.updateJobExecution({ thingName, jobId: execution.jobId, status: "SUCCEEDED" });
    const after = await jobs.getPendingJobExecutions({ thingName });
    jobs.close();
    return {
      queued: pending.queuedJobs.map(({ jobId }) => jobId),
      started: execution.jobId,
      document: execution.jobDocument,
      left: after.queuedJobs.length + after.inProgressJobs.length,
    };
  },

  async refused(device) {
    const subscribed = await device.subscribe("forbidden/topic").catch((error) => String(error));
    // The connection's end may first be told as the failure of the publish, as its rejection and as the
    // event "error", for which `once` would not wait any longer.
    const interrupted = () =>
      new Promise((done) => {
        device.raw.on("error", () => undefined);
        device.raw.on("interrupt", () => done({ cut: true }));
      });
    const cut = facts.version === 3 ? interrupted() : undefined;
    const failed = (error) => (cut && /CANCELLED/.test(String(error)) ? cut : { error: String(error) });
    const published = await Promise.race([
      device
        .publish("forbidden/topic", "x")
        .then((answer) => ({ answer: facts.version === 5 ? answer : "acknowledged" }), failed),
      ...(cut ? [cut] : []),
    ]);
    return { subscribed, published };
  },
};

let answer;
try {
  const device = await connect();
  answer = await STEPS[facts.step](device);
  await Promise.race([device.close(), new Promise((done) => setTimeout(done, 2000))]);
} catch (error) {
  answer = { error: String(error?.message ?? error), reason: error?.reason };
}
console.log(JSON.stringify(answer));
process.exit(0);
