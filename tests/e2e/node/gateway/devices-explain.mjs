// A bad value is explained and put right from the explanation; a device is browsed and what is picked
// becomes variables. With mouse, keyboard, and in a narrow window.
import { barriers, check, documented, enter, picture, run } from "./browser.mjs";
import { button, choose, dialog, gone, rowOf, until, valueOf } from "./devices.mjs";

async function noBarriers(page, what) {
  const found = await barriers(page);
  check(found.length === 0, `${what}: ${found.join("\n")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(wide <= 0, `${what} is ${wide} pixels wider than the window`);
}

/** Nonsense is shown; the explanation says which order it is, and a press sets it. */
async function putRight(page) {
  await rowOf(page, "temperature").waitFor();
  await button(page, "Explain temperature").click();
  const drawer = dialog(page);
  await drawer.getByText("What is asked").waitFor();
  await drawer.getByText("Asked just now").waitFor();
  await drawer.getByText(/^01 03|01 03 00 01 00 04$/).waitFor();
  const table = drawer.getByRole("table", { name: "Byte-order helper" });
  const row = table.getByRole("row", { name: /^FLOAT/ });
  await until(async () => (await row.innerText()).includes("likely"), "the right order to be pointed at");
  check((await row.innerText()).includes("now"), "what is configured is marked");
  check((await drawer.getByText(/byte order abcd they are/).count()) === 1, "what to do names the order");
  await noBarriers(page, "the explanation");
  await table.getByRole("row").last().scrollIntoViewIfNeeded();
  await documented(page, "explain");
  // By keyboard: the reading is a button like any other.
  await table.getByRole("button", { name: /: Take FLOAT in order abcd$/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/The byte order is set for the whole device Vessel: 2 variables/).waitFor();
  await noBarriers(page, "the question");
  await button(dialog(page), "Apply").click();
  await until(async () => !(await row.innerText()).includes("likely"), "the explanation to be asked again");
  await page.keyboard.press("Escape");
  await gone(dialog(page));
  await until(async () => Number(await valueOf(page, "temperature").catch(() => "")) > 5, "a sensible value");
}

/** A device that has no variable yet. */
async function browse(page) {
  await page.getByRole("link", { name: "Thought", exact: true }).click();
  await page.getByText("This device has no variables yet.").waitFor();
  await button(page, "Browse the device").click();
  const window = dialog(page);
  const boxes = window.getByRole("checkbox", { name: /^Pick / });
  await boxes.first().waitFor();
  const all = await boxes.count();
  check(all > 2, `${all} can be picked`);
  await window.getByLabel("Search in what is open").fill("ramp");
  await until(async () => (await boxes.count()) < all, "fewer of them");
  await boxes.first().check();
  await window.getByLabel("Search in what is open").fill("");
  await until(async () => (await boxes.count()) === all, "all of them again");
  await boxes.last().focus();
  await page.keyboard.press("Space");
  await window.getByText("2 picked", { exact: true }).waitFor();
  const names = window.getByRole("textbox", { name: /^Name of / });
  await names.first().fill("twice");
  await names.last().fill("twice");
  check(await button(window, "Add 2 variables").isDisabled(), "one name for two variables");
  await names.first().fill("rising");
  await names.last().fill("kept");
  await choose(window, "Group", "slow");
  await picture(page, "browse-flat");
  await noBarriers(page, "the browse dialog");
  await button(window, "Add 2 variables").click();
  await gone(window);
  await rowOf(page, "rising").waitFor();
  await rowOf(page, "kept").waitFor();
}

/** Folders are loaded as they are opened; what stands in several places is picked in all of them. */
async function tree(page) {
  await page.getByRole("link", { name: "Logix", exact: true }).click();
  await button(page, "Browse the device").click();
  const window = dialog(page);
  await button(window, "Open Motor").focus();
  await page.keyboard.press("Enter");
  await window.getByText("Motor.Speed", { exact: true }).waitFor();
  await button(window, "Close Motor").waitFor();
  await button(window, "Open Numbers").click();
  await window.getByRole("checkbox", { name: "Pick [9]" }).check();
  await window.getByLabel("Search in what is open").fill("motor.s");
  await until(async () => (await window.getByRole("checkbox").count()) === 2, "one line and the box below");
  await window.getByRole("checkbox", { name: "Pick Speed" }).check();
  await window.getByLabel("Search in what is open").fill("");
  await documented(page, "browse");
  await noBarriers(page, "the open tree");
  await button(window, "Add 2 variables").click();
  await gone(window);
  await until(async () => Number.isFinite(Number.parseFloat(await valueOf(page, "Speed").catch(() => "?"))), "the picked value");
  await rowOf(page, "Numbers[9]").first().waitFor();
}

/** In a narrow window nothing is cut off. */
async function narrow(browser) {
  const page = await enter(browser, { size: "phone", dark: true, place: "devices/Vessel" });
  await rowOf(page, "temperature").waitFor();
  await button(page, "Explain temperature").click();
  await dialog(page).getByText("Asked just now").waitFor();
  await picture(page, "explain-narrow");
  await noBarriers(page, "the narrow explanation");
  await page.keyboard.press("Escape");
  await gone(dialog(page));
  await page.goto(page.url().replace("devices/Vessel", "devices/Thought"));
  await button(page, "Browse the device").click();
  await dialog(page).getByRole("checkbox", { name: /^Pick / }).first().waitFor();
  await picture(page, "browse-narrow");
  await noBarriers(page, "the narrow browse dialog");
  await page.context().close();
}

run(async (browser) => {
  const page = await enter(browser, { place: "devices/Vessel" });
  await putRight(page);
  await browse(page);
  await tree(page);
  check(page.wrong.length === 0, page.wrong.join("\n"));
  await narrow(browser);
});
