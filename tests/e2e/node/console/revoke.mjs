// The certificate of a connected device is revoked, and made active again: the page asks first, and
// says what it is at each step. The device's connection is looked at outside.
import { check, dialogue, open, picture, run } from "./browser.mjs";

async function act(page, item) {
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

const is = (page, status) => page.getByText(status, { exact: true }).locator("visible=true").first().waitFor();

run(async (browser) => {
  const test = dialogue();
  const page = await open(browser, { at: "#/things/press" });
  await page.getByRole("tab", { name: "Security" }).click();
  await page.locator('a[href^="#/certificates/"]').click();
  await is(page, "ACTIVE");
  await act(page, "Revoke");
  const question = page.getByRole("dialog");
  await question.getByText("live connections that use it are closed").waitFor();
  await question.getByRole("button", { name: "Cancel" }).click();
  await question.waitFor({ state: "hidden" });
  await test.say("asked");
  await is(page, "ACTIVE");
  await act(page, "Revoke");
  await picture(page, "revoke");
  await question.getByRole("button", { name: "Revoke" }).click();
  await is(page, "REVOKED");
  await test.say("revoked");
  await page.getByRole("button", { name: "Actions" }).click();
  const item = page.getByRole("menuitem", { name: "Revoke", exact: true });
  check((await item.getAttribute("aria-disabled")) === "true", "what is revoked can be revoked again");
  await page.getByRole("menuitem", { name: "Activate", exact: true }).click();
  await is(page, "ACTIVE");
  await test.say("active");
  test.close();
});
