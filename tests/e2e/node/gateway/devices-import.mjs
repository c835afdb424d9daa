// Files in and out: a preview of what each row would do, then apply; an export has what is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check, documented, enter, folder, run, told } from "./browser.mjs";
import { button, dialog, gone, rowOf } from "./devices.mjs";

const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

async function choose(page, files) {
  await page.locator(".gd-page > .ps-head").getByRole("button", { name: "Import" }).click();
  await dialog(page).locator("input[type=file]").setInputFiles(files);
}

async function preview(page) {
  await choose(page, [file("device.csv", told.devices), file("var.csv", told.variables)]);
  const window = dialog(page);
  // What is not taken stands first, with its reason.
  await window.getByText(/not taken 1/).waitFor();
  await window.getByRole("row").filter({ hasText: "strange" }).getByText(/Data Type/).waitFor();
  await documented(page, "import");
  await window.getByText(/^All/).click();
  await window.getByRole("row").filter({ hasText: "speed" }).getByText("added").waitFor();
  await window.getByRole("row").filter({ hasText: "level" }).getByText("unit: (none) → mm").waitFor();
  check((await page.getByRole("heading", { name: "Variables Table(Line)" }).count()) === 0, "a preview changes nothing");
  await button(window, "Apply 4 rows").click();
  await gone(window);
  await page.getByRole("link", { name: "Line", exact: true }).click();
  await rowOf(page, "speed").waitFor();
  check((await rowOf(page, "strange").count()) === 0, "a row that is not taken came over");
}

async function broken(page) {
  await choose(page, [file("nothing.csv", "a,b\n1,2\n")]);
  await dialog(page).getByText("nothing.csv").first().waitFor();
  const apply = dialog(page).getByRole("button", { name: /^Apply/ });
  check(await apply.isDisabled(), "a file that is none can be applied");
  await button(dialog(page), "Cancel").click();
  await gone(dialog(page));
}

async function exported(page) {
  const [saved] = await Promise.all([page.waitForEvent("download"), button(page, "Export variables").click()]);
  await saved.saveAs(join(folder, "variables.csv"));
  const text = readFileSync(join(folder, "variables.csv"), "utf8");
  check(text.includes("speed") && !text.includes("level"), `the file of one device: ${text}`);
  // What was exported changes nothing when it comes back.
  await choose(page, [file("variables.csv", text)]);
  await dialog(page).getByText(/unchanged 2/).waitFor();
  check(await dialog(page).getByRole("button", { name: /^Apply/ }).isDisabled(), "nothing to apply, and yet");
  await button(dialog(page), "Cancel").click();
}

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  await preview(page);
  await broken(page);
  await exported(page);
});
