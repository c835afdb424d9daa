// Steps in the console of the local cloud that several scenarios take.
import { join } from "node:path";
import { folder, picture } from "./browser.mjs";

export const THING = "aws_iot_test";
export const POLICY = "aws_iot_test_policy";

/** Presses a button that downloads; the file stands in the folder then, under the name it was given. */
async function save(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const name = download.suggestedFilename();
  await download.saveAs(join(folder, "files", name));
  return name;
}

export async function createThing(page) {
  await page.getByRole("menuitem", { name: "Things" }).click();
  await page.getByRole("link", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: "Create a single thing" }).click();
  await page.getByLabel("Name").fill(THING);
  await picture(page, "1-thing-name");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Create certificate" }).click();
  await page.getByText("Certificate created!").waitFor();
  await picture(page, "2-certificate-created");
  const names = [];
  for (const file of [/certificate\.pem\.crt/, /public\.pem\.key/, /private\.pem\.key/, /AmazonRootCA1\.pem/]) {
    names.push(await save(page, page.getByRole("button", { name: file })));
  }
  await page.getByRole("button", { name: "Activate" }).click();
  await page.getByText("The certificate is active").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("link", { name: THING, exact: true }).waitFor();
  await picture(page, "3-things");
  return names;
}

export async function createPolicy(page) {
  await page.getByRole("menuitem", { name: "Policies" }).click();
  await page.getByRole("link", { name: "Create", exact: true }).click();
  await page.getByLabel("Name").fill(POLICY);
  await page.getByLabel("Action").fill("iot:*");
  await page.getByLabel("Resource ARN").fill("*");
  await page.getByRole("radio", { name: "Allow" }).check();
  await picture(page, "4-policy");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("link", { name: POLICY }).waitFor();
}

export async function attach(page, id, item, name) {
  await page.getByRole("menuitem", { name: "Certificates" }).click();
  await page.getByRole("button", { name: `Actions ${id}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
  const window = page.getByRole("dialog");
  await window.getByRole("checkbox", { name }).check();
  await picture(page, `5-${item.replace(" ", "-").toLowerCase()}`);
  await window.getByRole("button", { name: "Attach" }).click();
  await window.waitFor({ state: "hidden" });
}
