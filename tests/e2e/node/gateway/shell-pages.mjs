// Logs, revisions and users as a person uses them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check, documented, enter, folder, goTo, open, run, told } from "./browser.mjs";

async function choose(page, label, value) {
  await page.getByRole("combobox", { name: label }).click();
  await page.locator(".ant-select-dropdown:visible").getByTitle(value, { exact: true }).first().click();
}

async function logs(page) {
  await goTo(page, "Logs");
  const lines = page.getByRole("listbox", { name: /Log lines/ });
  await lines.getByRole("option").filter({ hasText: told.marker }).first().waitFor();
  await documented(page, "logs");
  await page.getByLabel("Text", { exact: true }).fill(told.marker);
  await lines.getByRole("option").filter({ hasText: "STARTED" }).first().waitFor({ state: "hidden" });
  // Keys alone choose a line, which is then shown whole.
  await lines.focus();
  await page.keyboard.press("End");
  await page.getByRole("region", { name: "The chosen line" }).getByText(told.marker).waitFor();
  await page.keyboard.press("Escape");
  await choose(page, "Script", "readings");
  await lines.getByRole("option").first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/lines? more while paused/).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText(/lines? more while paused/).waitFor({ state: "hidden" });
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  await file.saveAs(join(folder, "log.txt"));
  check(readFileSync(join(folder, "log.txt"), "utf8").includes(told.marker), "the download has the log's lines");
  await page.getByRole("button", { name: /Log level of the gateway/ }).click();
  await choose(page, "Log level of the gateway", "DEBUG");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByRole("button", { name: "Log level of the gateway: DEBUG" }).waitFor();
}

async function revisions(page) {
  await goTo(page, "Revisions");
  await page.getByRole("link", { name: "2", exact: true }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("cell", { name: "slower", exact: false }).or(drawer.getByText("slower")).first().waitFor();
  await drawer.getByText("timeout").waitFor();
  await documented(page, "revision");
  await drawer.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "1", exact: true }).click();
  await page.getByRole("button", { name: "Run this one again" }).click();
  const window = page.getByRole("dialog", { name: "Run revision 1 again?" });
  await window.getByText("timeout").waitFor();
  await window.getByLabel("Reason").fill("too slow");
  await window.getByRole("button", { name: "Run it again" }).click();
  await page.getByRole("link", { name: "3", exact: true }).waitFor();
  await page.getByText("too slow").waitFor();
  await documented(page, "revisions");
}

async function users(page) {
  await goTo(page, "Users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const window = page.getByRole("dialog");
  await window.getByLabel("Name").fill("otto");
  await window.getByRole("radio", { name: /operator/ }).check();
  await window.getByLabel("Password").fill(told.password);
  await window.getByRole("button", { name: "Save" }).click();
  await page.getByRole("cell", { name: "otto", exact: true }).waitFor();
  await documented(page, "users");
  await page.getByRole("tab", { name: "API tokens" }).click();
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByRole("dialog").getByLabel("What it is for").fill("scada");
  await page.getByRole("dialog").getByRole("button", { name: "Make a token" }).click();
  await page.getByText(/^pst_/).first().waitFor();
  await page.getByRole("button", { name: "Close", exact: true }).last().click();
  await page.getByRole("cell", { name: "scada", exact: true }).waitFor();
  check(!(await page.content()).includes("pst_"), "a token is shown once");
  await page.getByRole("tab", { name: "Audit log" }).click();
  await page.getByRole("cell", { name: "otto" }).first().waitFor();
  await documented(page, "audit");
}

/** Another role sees what it may do, and no more. */
async function asOperator(browser) {
  const page = await enter(browser, { name: "otto", password: told.password, place: "users" });
  await page.getByRole("button", { name: "Make a token" }).waitFor();
  check((await page.getByRole("tab", { name: "Accounts" }).count()) === 0, "an operator does not see accounts");
  await goTo(page, "Revisions");
  await page.getByRole("link", { name: "1", exact: true }).click();
  await page.getByRole("dialog").getByText("Difference to the one before").waitFor();
  check((await page.getByRole("button", { name: "Run this one again" }).count()) === 0, "an operator does not revert");
}

run(async (browser) => {
  const stranger = await open(browser, { place: "revisions" });
  await stranger.getByRole("heading", { name: "Log in" }).waitFor();
  await stranger.context().close();
  const page = await enter(browser);
  await logs(page);
  await revisions(page);
  await users(page);
  await asOperator(browser);
});
