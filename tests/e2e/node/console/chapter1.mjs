// Chapter 1.1 and the cloud's half of chapter 2 of the AWS IoT manual, only by clicking and typing:
// a thing with its certificate and files, a policy, both attached, then the test client.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { check, folder, open, picture, run } from "./browser.mjs";
import { attach, createPolicy, createThing, POLICY, THING } from "./steps.mjs";

async function lookAtCertificate(page, id) {
  await page.getByRole("menuitem", { name: "Certificates" }).click();
  await page.getByRole("link", { name: id }).click();
  await page.getByRole("link", { name: POLICY }).waitFor();
  await page.getByRole("link", { name: THING, exact: true }).waitFor();
  await page.getByText("ACTIVE", { exact: true }).first().waitFor();
  await picture(page, "6-certificate");
}

async function testClient(page) {
  await page.getByRole("menuitem", { name: "Test" }).click();
  await page.getByLabel("Subscription topic").fill("awsiot/#");
  await picture(page, "7-subscribe");
  await page.getByRole("button", { name: "Subscribe to topic" }).click();
  await page.getByText("No messages yet").waitFor();
  await page.getByLabel("Publish to topic").fill("awsiot/send");
  await page.getByLabel("1 – at least once").check();
  await page.getByRole("button", { name: "Publish to topic" }).click();
  const message = page.getByRole("article").first();
  await message.getByText("Hello from AWS IoT console").waitFor();
  check((await message.getByText("awsiot/send").count()) === 1, "the message does not name its topic");
  check((await message.locator("pre").innerText()).includes('{\n  "message"'), "the JSON is not indented");
}

run(async (browser) => {
  mkdirSync(join(folder, "files"), { recursive: true });
  const page = await open(browser);
  const files = await createThing(page);
  await createPolicy(page);
  const id = files[0].slice(0, 10);
  await attach(page, id, "Attach policy", POLICY);
  await attach(page, id, "Attach thing", THING);
  await lookAtCertificate(page, id);
  await testClient(page);
  // Now a device publishes with the files that were downloaded; who runs this sees to it.
  console.log(JSON.stringify({ thing: THING, files }));
  await page.getByRole("article").filter({ hasText: "Temperature_Sensor" }).first().waitFor();
  await picture(page, "8-messages");
  await page.getByRole("menuitem", { name: "Settings" }).click();
  await page.getByText("Device data endpoint").first().waitFor();
  await picture(page, "9-settings");
});
