// Alarms: defined by hand, seen to begin live, acknowledged, shelved, ended, and found in the
// history; moved to a group and deleted many at once; what a viewer sees.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check, dialogue, enter, folder, goTo, picture, run, settle, told } from "./browser.mjs";
import { choose, nothingRan, seen } from "./parts.mjs";

async function define(page) {
  await goTo(page, "Alarm");
  await page.getByRole("tab", { name: "Alarm Strategy" }).click();
  await page.getByRole("button", { name: "Add alarm" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("Fill in what has a red star.").first().waitFor();
  await form.getByLabel("Name", { exact: true }).fill("Mid level");
  await choose(form, "Device", "Tank (ModbusTCP)", page);
  await form.getByRole("combobox", { name: "Variable Name" }).fill("lev");
  await page.locator(".ant-select-dropdown:visible .ant-select-item-option-content").filter({ hasText: /^level/ }).click();
  await choose(form, /^Condition$/, ">", page);
  await form.getByRole("textbox", { name: "Value", exact: true }).fill("30");
  await choose(form, "Combine", "&& and", page);
  await choose(form, "Condition (second)", "<", page);
  await form.getByRole("textbox", { name: "Value (second)" }).fill("50");
  await form.getByText("Begins when level is > 30 && < 50; ends when it is <= 30 || >= 50.").waitFor();
  await form.getByLabel("Description", { exact: true }).fill(told.hostile);
  await picture(page, "alarm-form");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("cell", { name: /^Mid level/ }).waitFor();
  await seen(page, "> 30 && < 50").waitFor();
}

/** An address of its own, refused where it is not one, in the gateway's words. */
async function own(page) {
  await page.getByRole("button", { name: "Add alarm" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name", { exact: true }).fill("Pump off");
  await form.getByText("Use New Variable").click();
  await choose(form, "Device", "Tank (ModbusTCP)", page);
  await choose(form, "Data Type", "WORD", page);
  await form.getByRole("spinbutton", { name: "Address" }).fill("499999");
  await form.getByRole("textbox", { name: "Value", exact: true }).fill("1");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").first().waitFor();
  await form.getByRole("spinbutton", { name: "Address" }).fill("40009");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("cell", { name: "40009" }).waitFor();
}

async function life(page, test) {
  await page.getByRole("tab", { name: "Realtime Alarms" }).click();
  await page.getByText("0 on, of 2 defined").waitFor();
  await test.say("high");
  // The list of shelved alarms below has it too.
  const row = page.getByRole("row").filter({ hasText: "Mid level" }).first();
  await seen(row, "41").waitFor();
  await seen(row, "Triggered").waitFor();
  check(await nothingRan(page), "what is said about an alarm is text");
  await row.getByRole("button", { name: "Acknowledge Mid level" }).click();
  await seen(row, `Acknowledged by ${told.name}`).waitFor();
  await row.getByRole("button", { name: "Shelve Mid level" }).click();
  await page.getByRole("dialog").getByText("15 min").click();
  await page.getByRole("dialog").getByRole("button", { name: "Shelve", exact: true }).click();
  await seen(row, "Shelved until").waitFor();
  await picture(page, "alarms");
  await row.getByRole("button", { name: "Unshelve Mid level" }).click();
  await seen(row, "Shelved until").waitFor({ state: "hidden" });
  await test.say("low");
  await page.getByText("0 on, of 2 defined").waitFor();
}

async function history(page) {
  await page.getByRole("tab", { name: "History Alarms" }).click();
  for (const status of ["Restored", "Unshelved", "Shelved", "Acknowledged", "Triggered"]) {
    await page.getByRole("row").filter({ hasText: "Mid level" }).getByText(status).locator("visible=true").first().waitFor();
  }
  await picture(page, "alarm-history");
  await page.getByLabel("Name", { exact: true }).fill("nothing like it");
  await page.getByText("Nothing happened in this time.").waitFor();
}

async function many(page) {
  await page.getByRole("tab", { name: "Alarm Strategy" }).click();
  await page.getByRole("button", { name: "Export" }).click({ noWaitAfter: true });
  const file = await page.waitForEvent("download");
  await file.saveAs(join(folder, "warn.csv"));
  check(readFileSync(join(folder, "warn.csv"), "utf8").includes("Mid level"), "the export has the alarms");
  await page.getByRole("checkbox", { name: "Select all" }).check();
  await page.getByRole("button", { name: "Add to Group" }).click();
  await page.getByRole("dialog").getByText("night").click();
  await page.getByRole("dialog").getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("cell", { name: "night" }).nth(1).waitFor();
  await picture(page, "alarm-strategy");
  await page.getByRole("checkbox", { name: "Select all" }).check();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("No alarms are defined yet.").waitFor();
  await page.getByRole("button", { name: "Import" }).click();
  await page.locator('input[type="file"]').setInputFiles(join(folder, "warn.csv"));
  await page.getByRole("button", { name: /^Apply 2 rows/ }).click();
  await page.getByRole("cell", { name: /^Mid level/ }).waitFor();
}

async function viewer(browser) {
  const page = await enter(browser, { place: "alarms/strategy", ...told.viewer });
  await settle(page);
  await page.getByRole("cell", { name: /^Mid level/ }).waitFor();
  for (const name of ["Add alarm", "Import", "Delete", "Add to Group"]) {
    check((await page.getByRole("button", { name }).count()) === 0, `a viewer has no ${name}`);
  }
}

await run(async (browser) => {
  const test = dialogue();
  const page = await enter(browser);
  await define(page);
  await own(page);
  await life(page, test);
  await history(page);
  await many(page);
  await viewer(browser);
  test.close();
});
