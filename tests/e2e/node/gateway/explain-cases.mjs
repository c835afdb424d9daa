// The explanation of bad values, case by case: each says what its words are, and is a picture of docs/explain.md.
import { barriers, check, documented, enter, run, told, url } from "./browser.mjs";
import { button, dialog, gone, rowOf } from "./devices.mjs";

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  for (const { picture, device, variable, words } of told.cases) {
    await page.goto(`${url}#/devices/${device}`);
    await rowOf(page, variable).waitFor();
    await button(page, `Explain ${variable}`).click();
    const drawer = dialog(page);
    await drawer.getByText("What came of it").waitFor();
    for (const word of words) {
      await drawer.getByText(word).first().waitFor();
    }
    await documented(page, picture);
    const found = await barriers(page);
    check(found.length === 0, `${picture}: ${found.join("\n")}`);
    await page.keyboard.press("Escape");
    await gone(drawer);
  }
  check(page.wrong.length === 0, page.wrong.join("\n"));
});
