// The pages at every width, light and dark, without barriers; dialogs too.
import { barriers, check, enter, look, picture, run } from "./browser.mjs";
import { button, dialog, rowOf } from "./devices.mjs";

async function opened(page, name, what) {
  await what();
  await dialog(page).waitFor();
  await picture(page, name);
  const found = await barriers(page);
  check(found.length === 0, `${name}: ${found.join("\n")}`);
  // Escape would close the help first that the pointer may be on.
  await dialog(page).getByRole("button", { name: "Close" }).first().click();
  await dialog(page).waitFor({ state: "detached" });
}

async function dialogs(browser, dark) {
  const page = await enter(browser, { dark, place: "devices/Vessel" });
  await rowOf(page, "temperature").waitFor();
  const at = (name) => `${dark ? "dark" : "light"}-${name}`;
  await opened(page, at("device"), async () => {
    await button(page, "Edit device Vessel").click();
    await button(dialog(page), "More settings").click();
  });
  await opened(page, at("variable"), async () => {
    await button(page, "Edit variable temperature").click();
    await dialog(page).getByRole("button", { name: "Byte-order helper" }).click();
    await dialog(page).getByRole("table").waitFor();
  });
  await opened(page, at("explain"), async () => {
    await button(page, "Explain temperature").click();
    await page.getByText("What is asked").waitFor();
  });
  await opened(page, at("trend"), async () => {
    await button(page, "Trend of temperature").click();
    await page.getByRole("img", { name: /Chart of/ }).waitFor();
  });
  await opened(page, at("import"), () => page.locator(".ps-head").getByRole("button", { name: "Import" }).click());
  await page.context().close();
}

run(async (browser) => {
  await look(browser, ["devices/Vessel", "groups", "parameters"]);
  await dialogs(browser, false);
  await dialogs(browser, true);
});
