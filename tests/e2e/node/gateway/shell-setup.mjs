// First run: the set-up code makes the first administrator, and the overview guides on from there.
// Then the log-in page: what is wrong is said, out and in again, another password.
import { check, documented, open, run, settle, told } from "./browser.mjs";

async function setUp(page) {
  await page.getByRole("heading", { name: "Welcome to Penstock" }).waitFor();
  await page.getByLabel("Set-up code").fill("WRONG-CODE");
  await page.getByLabel("Name of the administrator").fill(told.name);
  await page.getByLabel("Password", { exact: true }).fill(told.password);
  await page.getByLabel("Password again").fill("something else");
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.getByText("The two are not the same").waitFor();
  await page.getByLabel("Password again").fill(told.password);
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel("Set-up code").fill(told.code);
  await documented(page, "first-run");
  await page.getByRole("button", { name: "Create the administrator" }).click();
}

async function guide(page) {
  await page.getByRole("heading", { name: "First steps" }).waitFor();
  await page.getByText("There is no line yet").waitFor();
  await settle(page);
  const steps = page.locator(".ps-steps li");
  check((await steps.count()) === 5, "the guide has five steps");
  check((await page.locator(".ps-step-done").count()) === 1, "one step is done: the administrator");
  await documented(page, "first-steps");
  await page.getByRole("link", { name: "Add the first device and its variables" }).click();
  await page.getByRole("heading", { name: /Device List/ }).first().waitFor();
}

async function outAndIn(page) {
  await page.getByRole("button", { name: `${told.name} (administrator)` }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  const window = page.getByRole("dialog");
  await window.getByLabel("Present password").fill(told.password);
  await window.getByLabel("New password").fill(told.other);
  await window.getByLabel("Password again").fill(told.other);
  await window.getByRole("button", { name: "Change password" }).click();
  await window.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: `${told.name} (administrator)` }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByLabel("Name").fill(told.name);
  await page.getByLabel("Password", { exact: true }).fill(told.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").first().waitFor();
  await documented(page, "log-in-refused");
  await page.getByLabel("Password", { exact: true }).fill(told.other);
  // After a wrong password the next try may have to wait; the button says how long.
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: /Device List/ }).first().waitFor();
}

run(async (browser) => {
  const page = await open(browser);
  await setUp(page);
  await guide(page);
  await outAndIn(page);
});
