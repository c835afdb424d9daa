// The AWS IoT manual from its first page to its last, only by clicking and typing: chapter 1 in the
// console of the local cloud, then the gateway on its own pages, from the set-up code to a message
// that arrives and one that comes back.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { attach, createPolicy, createThing, POLICY, THING } from "../console/steps.mjs";
import { open as openAt } from "../console/browser.mjs";
import { addVariable, button, dialog, gone, rowOf } from "./devices.mjs";
import { choose, writeScript } from "./parts.mjs";
import { check, documented, folder, goTo, open, run, settle, told, until } from "./browser.mjs";

const PUBLISH = { name: "vars_upload", topic: "awsiot/test", main: "vars_upload_test", script: told.publish };
const SUBSCRIBE = { name: "from_cloud", topic: "awsiot/send", main: "main", script: told.subscribe };

/** Chapter 1: thing, files, policy. Answers the files' names and what Settings says to connect to. */
async function cloudSide(page) {
  const files = await createThing(page);
  await createPolicy(page);
  const id = files[0].slice(0, 10);
  await attach(page, id, "Attach policy", POLICY);
  await attach(page, id, "Attach thing", THING);
  await page.getByRole("menuitem", { name: "Settings" }).click();
  const fact = async (label) => (await page.locator("tr").filter({ hasText: label }).locator("td").first().innerText()).trim();
  const endpoint = await fact("Device data endpoint");
  const port = await fact("MQTT over mutual TLS");
  await page.getByRole("menuitem", { name: "Test" }).click();
  await page.getByLabel("Subscription topic").fill("awsiot/test");
  await page.getByRole("button", { name: "Subscribe to topic" }).click();
  await page.getByText("No messages yet").waitFor();
  return { endpoint, port, certificate: files[0], key: files[2], root: files[3] };
}

async function setUp(page) {
  await page.getByLabel("Set-up code").fill(told.code);
  await page.getByLabel("Name of the administrator").fill(told.name);
  await page.getByLabel("Password", { exact: true }).fill(told.password);
  await page.getByLabel("Password again").fill(told.password);
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.getByRole("heading", { name: "First steps" }).waitFor();
}

/** 1.2.2: a group, the device, its variables; values come without loading anew. */
async function collect(page) {
  await goTo(page, "Group");
  await button(page, "Add group").click();
  await dialog(page).getByLabel("Name", { exact: true }).fill("group1");
  await dialog(page).getByLabel("Polling Interval").fill("1");
  await dialog(page).getByLabel("Uploading Interval").fill("1");
  await button(dialog(page), "Save").click();
  await gone(dialog(page));
  await goTo(page, "Device List");
  await button(page, "Add device").click();
  await dialog(page).getByLabel("Name", { exact: true }).fill("S7-1200");
  await dialog(page).getByLabel("IP Address").fill("127.0.0.1");
  await dialog(page).getByLabel("Port", { exact: true }).fill(String(told.port));
  await button(dialog(page), "Save").click();
  await gone(dialog(page));
  await button(page, "Add variable").click();
  await addVariable(page, { name: "Test1", address: 1, type: "BOOL", group: "group1" }, { next: true });
  await until(async () => (await dialog(page).getByLabel("Variable Name").inputValue()) === "Test2", "the next name");
  await addVariable(page, { name: "Test2", address: 40001, type: "WORD", group: "group1" });
  await gone(dialog(page));
  await rowOf(page, "Test2").getByText("12", { exact: true }).waitFor();
  await documented(page, "manual-devices");
}

async function importFile(page, field, name) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: `Import a file for ${field}` }).click()]);
  await chooser.setFiles(join(folder, "files", name));
}

/** 2.1: connect. */
async function connect(page, { endpoint, port, certificate, key, root }) {
  await goTo(page, "Cloud");
  const enable = page.getByRole("switch", { name: "Enable Cloud Service" });
  if ((await enable.getAttribute("aria-checked")) !== "true") {
    await enable.click();
  }
  await page.getByLabel("Endpoint").fill(endpoint);
  await page.getByLabel("Client ID").fill(THING);
  await importFile(page, "Certificate For Thing", certificate);
  await importFile(page, "Private Key", key);
  await importFile(page, "rootCA", root);
  await page.getByText("belongs to the certificate", { exact: true }).waitFor();
  await page.getByText("Advanced Settings").click();
  await page.getByRole("spinbutton", { name: "Port" }).fill(port);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByText("Connection Successful").first().waitFor();
  await documented(page, "manual-cloud");
}

async function addMessage(page, kind, { name, topic, main, script }, more = async () => undefined) {
  await goTo(page, "Message Management");
  await page.getByRole("link", { name: `Add ${kind} message` }).click();
  await settle(page);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Topic", { exact: true }).fill(topic);
  await choose(page, "Qos(MQTT)", "1: at least once");
  await page.getByRole("combobox", { name: "Main Function" }).fill(main);
  await more();
  await writeScript(page, script);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await documented(page, `manual-${kind}`);
}

async function chooseGroup(page) {
  await choose(page, "Group", "group1");
  await page.keyboard.press("Escape");
}

run(async (browser) => {
  const begin = Date.now();
  mkdirSync(join(folder, "files"), { recursive: true });
  const cloud = await openAt(browser, { base: told.console });
  const where = await cloudSide(cloud);
  const page = await open(browser);
  await setUp(page);
  await collect(page);
  await connect(page, where);
  await addMessage(page, "publish", PUBLISH, () => chooseGroup(page));
  // 2.2, steps 2 and 3: the message is seen in the cloud.
  const message = cloud.getByRole("article").filter({ hasText: "S7-1200" }).first();
  await message.waitFor();
  check((await message.innerText()).includes('"Test2": 12'), "the message has the value");
  await documented(cloud, "manual-received");
  // 2.3: one is sent back and seen in the log.
  await addMessage(page, "subscribe", SUBSCRIBE);
  await cloud.getByLabel("Publish to topic").fill("awsiot/send");
  await goTo(page, "Logs");
  const line = page.getByRole("option").filter({ hasText: "Hello from AWS IoT console" }).first();
  await until(async () => {
    await cloud.getByRole("button", { name: "Publish to topic" }).click();
    return line.waitFor({ timeout: 2000 }).then(() => true, () => false);
  }, "the message in the log");
  await documented(page, "manual-log");
  // The guide has ticked itself off.
  await goTo(page, "Overview");
  await page.getByRole("heading", { name: "Ledger" }).waitFor();
  await page.getByRole("heading", { name: "First steps" }).waitFor({ state: "hidden" });
  await documented(page, "manual-overview");
  console.log(JSON.stringify({ seconds: (Date.now() - begin) / 1000 }));
});
