// Names and values that want to be a page are shown as text, in the table, dialogs and the chart.
import { check, enter, goTo, picture, run, told } from "./browser.mjs";
import { button, dialog, rowOf, until } from "./devices.mjs";

async function harmless(page, where) {
  const found = await page.evaluate(() => ({ ran: window.ran !== undefined, images: document.querySelectorAll("img, iframe, object").length }));
  check(!found.ran && found.images === 0, `${where}: ${JSON.stringify(found)}`);
  check(page.wrong.length === 0, page.wrong.join("\n"));
}

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  await rowOf(page, told.hostile).first().waitFor();
  // The value too: it was read from the device.
  await until(async () => (await page.locator(".gd-number").allInnerTexts()).some((text) => text.includes("<img")), "the hostile value");
  await harmless(page, "the table");
  await picture(page, "hostile");
  for (const [open, what] of [["Explain", "explain"], ["Trend of", "trend"], ["Edit variable", "edit"]]) {
    await button(page, `${open} ${told.hostile}`).click();
    await dialog(page).waitFor();
    await until(async () => (await dialog(page).textContent()).includes("<img") || (await dialog(page).locator("input").count()) > 0, what);
    await harmless(page, what);
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
  }
  await button(page, `Delete device ${told.hostile}`).click();
  await dialog(page).waitFor();
  await harmless(page, "delete");
  await button(dialog(page), "Cancel").click();
  await goTo(page, "Group");
  await page.getByText(told.hostile).first().waitFor();
  await harmless(page, "groups");
  await goTo(page, "Parameter Settings");
  await page.getByText(told.hostile).first().waitFor();
  await harmless(page, "parameters");
});
