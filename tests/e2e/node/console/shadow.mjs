// The shadows of a thing whose device is connected: made, edited, refused when the device was faster,
// a named one, and deleted. What the device sees of it is looked at outside.
import { check, dialogue, open, picture, run } from "./browser.mjs";

const button = (scope, name) => scope.getByRole("button", { name, exact: true });
const state = (page) => page.getByRole("region", { name: "Shadow state" });

async function openThing(page) {
  await page.getByRole("link", { name: "press", exact: true }).click();
  await page.getByRole("tab", { name: "Shadow" }).click();
}

async function shows(page, ...texts) {
  for (const text of texts) {
    await state(page).filter({ hasText: text }).waitFor();
  }
}

async function write(page, how, document) {
  await button(page, how).click();
  await page.getByLabel("Shadow document").fill(typeof document === "string" ? document : JSON.stringify(document));
}

async function make(page) {
  await page.getByText("This shadow has no document yet.").waitFor();
  await write(page, "Create shadow", '{"state": {"desired": }}');
  await page.getByText("Not JSON: line 1, column 23").waitFor();
  check(await button(page, "Save").isDisabled(), "what is no JSON can be saved");
  await page.getByLabel("Shadow document").fill('{"state": {"desired": {"speed": 5, "colour": "red"}}}');
  await button(page, "Save").click();
  await shows(page, '"speed"', '"colour"');
  await picture(page, "shadow");
}

/** The device reports while the editor is open: the editor's version is old. */
async function late(page, test) {
  await write(page, "Edit", { state: { desired: { speed: 6, colour: "red" } } });
  await test.say("editing");
  await button(page, "Save").click();
  const refusal = page.getByRole("alert").filter({ hasText: "Version conflict" });
  await refusal.waitFor();
  check((await page.getByLabel("Shadow document").inputValue()).includes('"speed":6'), "what was typed is lost");
  await picture(page, "shadow-conflict");
  await refusal.getByRole("button", { name: "Close" }).click();
  await button(page, "Cancel").click();
}

/** From what is there now; a field that is taken out goes. */
async function again(page) {
  await shows(page, '"reported"');
  await button(page, "Edit").click();
  const text = await page.getByLabel("Shadow document").inputValue();
  check(!text.includes('"delta"'), "the editor offers what only the service derives");
  const { state: before } = JSON.parse(text);
  await page.getByLabel("Shadow document").fill(JSON.stringify({ state: { ...before, desired: { speed: 7 } } }));
  await button(page, "Save").click();
  await shows(page, "7");
  check(!(await state(page).innerText()).includes('"red"'), "a field that was taken out is still there");
}

async function named(page) {
  await button(page, "Add a named shadow").click();
  const window = page.getByRole("dialog");
  await window.getByLabel("Shadow name").fill("no blanks");
  check(await button(window, "Open").isDisabled(), "a name that cannot be is taken");
  await window.getByLabel("Shadow name").fill("recipe");
  await button(window, "Open").click();
  await write(page, "Create shadow", { state: { desired: { grams: 12 } } });
  await button(page, "Save").click();
  await shows(page, '"grams"');
  await page.reload();
  await page.getByRole("tab", { name: "Shadow" }).click();
  await page.getByText("recipe", { exact: true }).click();
  await shows(page, '"grams"');
}

async function remove(page) {
  await page.getByText("Classic shadow", { exact: true }).click();
  await shows(page, '"speed"');
  await page.getByRole("tabpanel").getByRole("button", { name: "Delete" }).click();
  const window = page.getByRole("dialog");
  await window.getByText("Delete the shadow?").last().waitFor();
  await button(window, "Delete").click();
  await page.getByText("This shadow has no document yet.").waitFor();
}

run(async (browser) => {
  const test = dialogue();
  const page = await open(browser);
  await openThing(page);
  await make(page);
  await test.say("made");
  await late(page, test);
  await again(page);
  await test.say("edited");
  await named(page);
  await remove(page);
  test.close();
});
