// A person sets a gateway up by clicking and typing: device, group, variables; watches them, writes
// one, sorts and searches, puts several in a group, asks why and for a trend, deletes.
import { check, documented, enter, goTo, picture, run, told } from "./browser.mjs";
import { addVariable, button, choose, dialog, gone, rowOf, until, valueOf } from "./devices.mjs";

async function addDevice(page) {
  await page.getByText("There is no device yet.").waitFor();
  await button(page, "Add device").click();
  const window = dialog(page);
  await window.getByLabel("IP Address").fill("127.0.0.1");
  await window.getByLabel("Port", { exact: true }).fill(String(told.port));
  await button(window, "Save").click();
  // What is missing is said at its field.
  await window.locator(".ant-form-item-has-error").filter({ hasText: "Name" }).waitFor();
  await window.getByLabel("Name", { exact: true }).fill("Vessel");
  await documented(page, "device-form");
  await button(window, "Save").click();
  await gone(window);
  await page.getByRole("heading", { name: "Variables Table(Vessel)" }).waitFor();
  await page.getByText("This device has no variables yet.").waitFor();
}

async function addGroup(page) {
  await goTo(page, "Group");
  await button(page, "Add group").click();
  const window = dialog(page);
  await window.getByLabel("Name", { exact: true }).fill("fast");
  await window.getByLabel("Polling Interval").fill("1");
  await window.getByLabel("Uploading Interval").fill("2");
  await button(window, "Save").click();
  await gone(window);
  await page.getByRole("cell", { name: "fast", exact: true }).waitFor();
  check(await button(page, "Delete group default").isDisabled(), "the predefined group can be deleted");
  await documented(page, "groups");
  await goTo(page, "Device List");
}

async function addVariables(page) {
  await button(page, "Add variable").click();
  await addVariable(page, { name: "temperature", address: 40002, type: "FLOAT", unit: "°C", group: "fast" });
  await gone(dialog(page));
  await button(page, "Add variable").click();
  const window = dialog(page);
  await window.getByLabel("Register Address").fill("5");
  // A coil is a bit: other types are not offered.
  await until(async () => (await window.locator(".ant-form-item").filter({ hasText: "Data Type" }).innerText()).includes("BOOL"), "a coil to be a BOOL");
  await window.getByText("Coil, item 5 (offset 4 on the wire)").waitFor();
  await addVariable(page, { name: "setpoint", address: 40101, type: "WORD", access: "read/write", group: "fast" });
  await gone(window);
  await button(page, "Add variable").click();
  // Several one after the other: the next name at the next address.
  await addVariable(page, { name: "memory_1", address: 40201, type: "DWORD", access: "read/write" }, { next: true });
  await until(async () => (await dialog(page).getByLabel("Variable Name").inputValue()) === "memory_2", "the next name");
  check((await dialog(page).getByLabel("Register Address").inputValue()) === "40203", "the next address");
  await button(dialog(page), "Save").click();
  await gone(dialog(page));
  await rowOf(page, "memory_2").waitFor();
}

async function live(page) {
  const before = await until(() => valueOf(page, "temperature").catch(() => ""), "a first value");
  await until(async () => (await valueOf(page, "temperature")) !== before, "another value without loading anew");
  await rowOf(page, "temperature").getByRole("img", { name: "good" }).waitFor();
  const time = await rowOf(page, "temperature").locator("time").innerText();
  check(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(time), `the time is ${time}`);
  check((await button(page, "Write temperature").count()) === 0, "what is read only has a pencil");
  await documented(page, "devices");
}

async function write(page) {
  await button(page, "Write setpoint").click();
  const field = page.getByRole("textbox", { name: "Write setpoint" });
  await field.fill("much");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "much" }).waitFor();
  await picture(page, "write-refused");
  await page.keyboard.press("Escape");
  await button(page, "Write setpoint").click();
  await field.fill("41");
  await picture(page, "write");
  await button(page, "Apply").click();
  await page.getByText("Modify successful").waitFor();
  await until(async () => (await valueOf(page, "setpoint")) === "41", "the value that was written");
}

async function sortAndSearch(page) {
  const names = async () => (await page.locator(".gd-space .gd-name").allInnerTexts()).map((text) => text.trim());
  await button(page, "Sort by Name").click();
  await until(async () => (await names()).join() === "memory_1,memory_2,setpoint,temperature", "the order of names");
  await button(page, "Sort by Name").click();
  await until(async () => (await names()).join() === "temperature,setpoint,memory_2,memory_1", "the other way round");
  await page.getByPlaceholder("Input Variable Name").fill("memory");
  await until(async () => (await names()).join() === "memory_2,memory_1", "what was searched for");
}

async function batches(page) {
  await page.getByLabel("Tick all variables that are listed").click();
  await page.getByText("2 ticked").waitFor();
  await button(page, "Added to Group").click();
  const window = dialog(page);
  await window.getByRole("radio", { name: /^fast/ }).check();
  await documented(page, "group-pick");
  await button(window, "Confirm").click();
  await gone(window);
  await until(async () => (await page.locator(".gd-space .gd-group").allInnerTexts()).every((text) => text === "fast"), "the group");
  await page.getByLabel("Tick variable memory_1").check();
  await page.locator(".gd-foot").getByRole("button", { name: "Delete" }).click();
  await button(dialog(page), "Delete").click();
  await gone(rowOf(page, "memory_1"));
  await page.getByPlaceholder("Input Variable Name").fill("");
  await rowOf(page, "temperature").waitFor();
}

async function explainAndTrend(page) {
  await button(page, "Explain temperature").click();
  await page.getByText("Asked just now").waitFor();
  await picture(page, "explain");
  await page.keyboard.press("Escape");
  await gone(dialog(page));
  await page.getByLabel("Tick variable temperature").check();
  await page.getByLabel("Tick variable setpoint").check();
  await page.locator(".gd-foot").getByRole("button", { name: "Trend" }).click();
  const drawer = dialog(page);
  await drawer.getByRole("img", { name: /Chart of/ }).waitFor();
  await until(
    async () => {
      const [, now, least, most] = await drawer.locator(".ant-table-row").filter({ hasText: "temperature" }).getByRole("cell").allInnerTexts();
      return Number(now) > 0 && Number(most) > Number(least);
    },
    "a line with more than one value",
    60_000,
  );
  await documented(page, "trend");
  await page.keyboard.press("Escape");
  await gone(drawer);
  await button(page, "2 ticked").click();
}

/** The order is wrong: nonsense is shown, and the helper says which order it is. */
async function byteOrder(page) {
  await button(page, "Edit device Vessel").click();
  await choose(dialog(page), "Byte Order", "cdab");
  await button(dialog(page), "Save").click();
  await gone(dialog(page));
  await button(page, "Edit variable temperature").click();
  const window = dialog(page);
  await window.getByRole("button", { name: "Byte-order helper" }).click();
  const table = window.getByRole("table", { name: "Byte-order helper" });
  await table.waitFor();
  const found = table.getByRole("row", { name: /^FLOAT/ }).getByRole("cell").first();
  await until(async () => (await found.innerText()).includes("likely"), "the right order to be pointed at");
  await table.scrollIntoViewIfNeeded();
  await documented(page, "byte-order");
  await table.getByRole("button", { name: /: Take FLOAT in order abcd$/ }).click();
  await window.getByText("The byte order abcd is set for the whole device").waitFor();
  await button(window, "Save").click();
  await gone(window);
  await until(async () => Number(await valueOf(page, "temperature").catch(() => "")) > 5, "a sensible value again");
}

/** What was typed is not lost by a press beside it. */
async function unsaved(page) {
  await button(page, "Edit variable setpoint").click();
  await dialog(page).getByLabel("Unit").fill("K");
  await page.keyboard.press("Escape");
  await button(page, "Keep on editing").click();
  check((await dialog(page).getByLabel("Unit").inputValue()) === "K", "what was typed is still there");
  await page.keyboard.press("Escape");
  await button(page, "Discard").click();
  await gone(dialog(page));
}

async function deleteDevice(page) {
  await button(page, "Delete device Vessel").click();
  await page.getByText("3 variables will be deleted with it.").waitFor();
  await picture(page, "delete-device");
  await button(dialog(page), "Delete").click();
  await page.getByText("There is no device yet.").waitFor();
}

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  await addDevice(page);
  await addGroup(page);
  await addVariables(page);
  await live(page);
  await write(page);
  await sortAndSearch(page);
  await batches(page);
  await explainAndTrend(page);
  await byteOrder(page);
  await unsaved(page);
  await deleteDevice(page);
});
