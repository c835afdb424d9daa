// What the scenarios of Device List, Group and Parameter Settings share.
import { check } from "./browser.mjs";

/** A choice of a select, by clicking as a person does. */
export async function choose(scope, label, value) {
  const page = scope.page?.() ?? scope;
  await scope.getByLabel(label, { exact: true }).click();
  const list = page.locator(".ant-select-dropdown:visible");
  await list.locator(".ant-select-item-option").filter({ has: page.getByText(value, { exact: true }) }).click();
}

/** The row of a variable in the table. */
export const rowOf = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });

/** The dialog on top. */
export const dialog = (page) => page.getByRole("dialog").last();

export const button = (scope, name) => scope.getByRole("button", { name, exact: true });

export async function gone(locator) {
  await locator.waitFor({ state: "detached" });
}

/** Waits until `look` gives something true; a page that never does fails with `what`. */
export async function until(look, what, ms = 30_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    check(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** What stands in the cell of the value. */
export const valueOf = (page, name) => rowOf(page, name).locator(".gd-number").innerText();

export async function addVariable(page, fields, { next = false } = {}) {
  const window = dialog(page);
  await window.getByLabel("Variable Name").fill(fields.name);
  await window.getByLabel("Register Address").fill(String(fields.address));
  await choose(window, "Data Type", fields.type);
  if (fields.access) {
    await choose(window, "Read/Write", fields.access);
  }
  if (fields.unit) {
    await window.getByLabel("Unit").fill(fields.unit);
  }
  if (fields.group) {
    await choose(window, "Group", fields.group);
  }
  await button(window, next ? "Save and add the next" : "Save").click();
}
