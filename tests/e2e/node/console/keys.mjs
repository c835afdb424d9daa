// A policy by the keyboard alone, and what the API refuses in the API's words.
import { check, open, picture, run, url } from "./browser.mjs";

/** Presses Tab until the element with that role and name has the focus. */
async function tabTo(page, role, name) {
  const aim = page.getByRole(role, { name, exact: true }).first();
  await aim.waitFor();
  for (let i = 0; i < 60; i++) {
    if (await aim.evaluate((element) => element === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${role} "${name}"`);
}

async function createPolicy(page, name, action) {
  await page.goto(`${url}#/create-policy`);
  await tabTo(page, "textbox", /Name$/);
  await page.keyboard.type(name);
  await tabTo(page, "textbox", "Action");
  await page.keyboard.type(action);
  await tabTo(page, "textbox", "Resource ARN");
  await page.keyboard.type("*");
  await tabTo(page, "button", "Create");
  await page.keyboard.press("Enter");
}

run(async (browser) => {
  const page = await open(browser);
  await createPolicy(page, "by_keys", "iot:Publish, iot:Connect");
  await page.getByRole("link", { name: "by_keys" }).waitFor();
  await tabTo(page, "link", "by_keys");
  await page.keyboard.press("Enter");
  const document = page.getByRole("region", { name: "Policy document" });
  await document.waitFor();
  check((await document.innerText()).includes('"iot:Connect"'), "the second action is not in the document");
  await createPolicy(page, "by_keys", "iot:*");
  const refusal = page.getByRole("alert").filter({ hasText: "ResourceAlreadyExistsException" });
  await refusal.waitFor();
  check(/by_keys/.test(await refusal.innerText()), "the refusal does not name the policy");
  await picture(page, "refused");
});
