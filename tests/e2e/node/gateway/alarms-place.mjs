// An alarm with a place of its own on an S7: typed as the programming software writes it, as in
// Device List; taken apart when the field is left, and when one saves at once. What is saved is
// looked at outside.
import { check, enter, picture, run, settle, until } from "./browser.mjs";
import { choose, seen } from "./parts.mjs";

const place = (form) => form.getByLabel("Address", { exact: true });

async function begin(page, name) {
  await page.getByRole("button", { name: "Add alarm" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByText("Use New Variable").click();
  await choose(form, "Device", "Press (ISO-on-TCP)", page);
  await form.getByRole("textbox", { name: "Value", exact: true }).fill("1");
  return form;
}

const save = (form) => form.getByRole("button", { name: "Save" }).click();

const chosen = (form, label) => form.locator(".ant-form-item").filter({ has: form.page().getByLabel(label, { exact: true }) }).innerText();

await run(async (browser) => {
  const page = await enter(browser, { place: "alarms/strategy" });
  await settle(page);
  let form = await begin(page, "Too hot");
  await choose(form, "Data Type", "FLOAT", page);
  await place(form).fill("DB6.DBD18");
  await place(form).press("Tab");
  await form.getByLabel("DB Number").waitFor();
  check((await place(form).inputValue()) === "18", "the byte alone is left in the field");
  check((await form.getByLabel("DB Number").inputValue()) === "6", "the block is filled in");
  check((await chosen(form, "Data Type")).includes("FLOAT"), "a type that was chosen stays");
  await picture(page, "alarm-place");
  await save(form);
  await seen(page, "DB6.18").waitFor();
  form = await begin(page, "Valve open");
  await place(form).fill("A0.3");
  await save(form);
  await seen(page, "Q0.3").waitFor();
  form = await begin(page, "Lost");
  await place(form).fill("DB6.DBQ1");
  await save(form);
  await form.getByRole("alert").first().waitFor();
  check((await place(form).inputValue()) === "DB6.DBQ1", "what was typed is lost");
  await picture(page, "alarm-place-refused");
  await page.setViewportSize({ width: 400, height: 800 });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  await until(fits, "the form in a narrow window, no wider than it");
  await picture(page, "alarm-place-phone");
});
