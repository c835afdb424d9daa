// Every page at the width of a telephone, a desk and a 4K wall, light and dark: nothing is wider
// than the window, and the accessibility checker finds nothing serious.
import { barriers, check, open, picture, run, SIZES, url } from "./browser.mjs";

const PAGES = ["things", "create-thing", "certificates", "create-certificate", "policies", "create-policy", "test", "settings"];

async function settle(page) {
  await page.locator("h1").waitFor();
  await page.locator(".ant-spin-spinning").waitFor({ state: "detached" });
}

const wrong = [];

async function look(page, name) {
  await settle(page);
  await picture(page, name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) {
    wrong.push(`${name} is ${wide} pixels wider than the window`);
  }
  if (!name.startsWith("wall")) {
    wrong.push(...(await barriers(page)).map((barrier) => `${name}: ${barrier}`));
  }
}

/** The pages of the first thing, certificate and policy there are. */
async function inner(page) {
  const places = [];
  for (const list of ["things", "certificates", "policies"]) {
    await page.goto(`${url}#/${list}`);
    await page.locator(`a[href^="#/${list}/"]`).first().waitFor();
    places.push((await page.locator(`a[href^="#/${list}/"]`).first().getAttribute("href")).slice(2));
  }
  return places;
}

run(async (browser) => {
  for (const size of Object.keys(SIZES)) {
    // What a wall shows beside a desk is its width, not other colours.
    for (const dark of size === "wall" ? [false] : [false, true]) {
      const page = await open(browser, { size, dark });
      for (const place of [...PAGES, ...(await inner(page))]) {
        await page.goto(`${url}#/${place}`);
        await look(page, `${size}-${dark ? "dark" : "light"}-${place.replace(/\/.*/, "-one")}`);
      }
      if (size === "phone") {
        await page.getByRole("button", { name: "Menu" }).click();
        await page.getByRole("menuitem", { name: "Settings" }).waitFor();
        await look(page, `phone-${dark ? "dark" : "light"}-menu`);
      }
      wrong.push(...page.wrong);
      await page.context().close();
    }
  }
  check(wrong.length === 0, wrong.join("\n"));
});
