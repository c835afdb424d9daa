// Viewers see, operators write, engineers edit.
import { check, enter, goTo, picture, run, told } from "./browser.mjs";
import { button, rowOf } from "./devices.mjs";

const EDITS = ["Add device", "Add variable", "Edit device Vessel", "Delete device Vessel", "Edit variable setpoint", "Delete variable setpoint", "Import"];

async function count(page, names) {
  let found = 0;
  for (const name of names) {
    found += await button(page, name).count();
  }
  return found;
}

async function as(browser, name, { writes, edits }) {
  const page = await enter(browser, { name, password: told.password, place: "devices" });
  await rowOf(page, "setpoint").waitFor();
  await picture(page, `as-${name}`);
  check(await button(page, "Write setpoint").isEnabled() === writes, `${name}: writing is ${writes ? "not " : ""}allowed`);
  check((await count(page, EDITS)) > 0 === edits, `${name}: edits are ${edits ? "not " : ""}offered`);
  await goTo(page, "Group");
  await page.getByRole("cell", { name: "default", exact: true }).waitFor();
  check((await button(page, "Add group").count()) > 0 === edits, `${name}: groups`);
  await goTo(page, "Parameter Settings");
  await page.getByRole("heading", { name: "Custom Parameter" }).waitFor();
  check((await button(page, "Add parameter").count()) > 0 === edits, `${name}: parameters`);
  check(page.wrong.length === 0, page.wrong.join("\n"));
  await page.context().close();
}

run(async (browser) => {
  await as(browser, "vera", { writes: false, edits: false });
  await as(browser, "otto", { writes: true, edits: false });
  await as(browser, "emil", { writes: true, edits: true });
});
