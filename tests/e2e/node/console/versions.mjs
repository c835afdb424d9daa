// Versions of a policy that a connected device is held to: made beside the one in force, looked at,
// put in force, deleted, and one more than there can be. What the device may do is tried outside.
import { check, dialogue, open, picture, run } from "./browser.mjs";

const allow = (...actions) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] });

const button = (scope, name) => scope.getByRole("button", { name, exact: true });
const version = (page, number) => page.locator(".ps-choice").filter({ hasText: `Version ${number} ` });

async function add(page, document, asDefault) {
  await page.getByRole("tab", { name: "Policy document" }).click();
  await button(page, "Create a new version").click();
  await page.getByText("Advanced mode").click();
  await page.getByRole("textbox", { name: "Policy document" }).fill(document);
  await page.getByRole("checkbox", { name: "Set as default version" }).setChecked(asDefault);
  await button(page, "Save").click();
}

const versions = (page) => page.getByRole("tab", { name: "Versions" }).click();

async function beside(page) {
  await add(page, allow("iot:Connect", "iot:Subscribe"), false);
  await button(page, "Create a new version").waitFor();
  const document = page.getByRole("region", { name: "Policy document" });
  check((await document.innerText()).includes("iot:*"), "the version in force is not the first any more");
  await versions(page);
  await version(page, 1).getByText("default", { exact: true }).waitFor();
  check((await version(page, 2).getByText("default", { exact: true }).count()) === 0, "the new version is in force");
  check((await button(page, "Delete Version 1").count()) === 0, "the version in force can be deleted");
  await button(page, "Show Version 2").click();
  const window = page.getByRole("dialog");
  await window.getByText("iot:Subscribe").waitFor();
  await button(window, "Close").click();
  await window.waitFor({ state: "hidden" });
}

async function inForce(page) {
  await button(page, "Set as default version Version 2").click();
  await version(page, 2).getByText("default", { exact: true }).waitFor();
  await picture(page, "policy-versions");
  await page.getByRole("tab", { name: "Policy document" }).click();
  await page.getByRole("region", { name: "Policy document" }).getByText("iot:Subscribe").waitFor();
}

async function remove(page) {
  await versions(page);
  await button(page, "Delete Version 1").click();
  await version(page, 1).waitFor({ state: "detached" });
}

/** Five at most: the sixth is refused in the API's words, and what was typed is still there. */
async function tooMany(page) {
  for (let i = 0; i < 4; i++) {
    await add(page, allow("iot:*"), i === 0);
    await button(page, "Create a new version").waitFor();
  }
  await add(page, allow("iot:Receive"), true);
  await page.getByRole("alert").filter({ hasText: "VersionsLimitExceededException" }).waitFor();
  check((await page.getByRole("textbox", { name: "Policy document" }).inputValue()).includes("iot:Receive"), "what was typed is lost");
  await picture(page, "policy-too-many");
}

run(async (browser) => {
  const test = dialogue();
  const page = await open(browser, { at: "#/policies/line" });
  await beside(page);
  await test.say("beside");
  await inForce(page);
  await test.say("in force");
  await remove(page);
  await tooMany(page);
  test.close();
});
