// What every scenario of the gateway's pages needs beyond console/browser.mjs: log-in, the menu, the
// pictures of docs/ui.md. A scenario is run by tests/e2e/test_web_ui_*.py:
//   node gateway/SCENARIO.mjs URL FOLDER
// with what it has to know as JSON in PENSTOCK_SCENARIO: {name, password, ...}.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { barriers, check, open as openAt, picture, SIZES, url } from "../console/browser.mjs";

export { barriers, check, dialogue, folder, picture, run, SIZES, url } from "../console/browser.mjs";

export const told = JSON.parse(process.env.PENSTOCK_SCENARIO ?? "{}");

const IMAGES = join(dirname(fileURLToPath(import.meta.url)), "../../../../docs/images");

/** A page at `#/place`, not logged in. */
export async function open(browser, { place = "", ...more } = {}) {
  return openAt(browser, { ...more, at: place === "" ? "" : `#/${place}` });
}

export async function logIn(page, name = told.name, password = told.password) {
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("navigation", { name: "Menu" }).or(page.getByRole("button", { name: "Menu" })).first().waitFor();
}

/** A page at `#/place` of somebody who is logged in. */
export async function enter(browser, { name, password, ...more } = {}) {
  const page = await open(browser, more);
  await logIn(page, name, password);
  return page;
}

/** By the menu, as a person goes. */
export async function goTo(page, item) {
  // The icon has a name, which stands before the item's.
  await page.getByRole("menuitem", { name: new RegExp(`(^| )${item}$`) }).click();
  await settle(page);
}

export async function settle(page) {
  await page.locator("h1").first().waitFor();
  // One after the other: several parts of a page may be on their way.
  while ((await page.locator(".ant-spin-spinning").count()) > 0) {
    await page.locator(".ant-spin-spinning").first().waitFor({ state: "detached" });
  }
}

/** Waits for what the page alone does not show as an element. */
export async function until(condition, what, patienceMs = 30_000) {
  const end = Date.now() + patienceMs;
  while (!(await condition())) {
    check(Date.now() < end, `waited for: ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

/** A picture for docs/ui.md, kept in docs/images only when PENSTOCK_PICTURES=1 asks for it. */
export async function documented(page, name) {
  await picture(page, name);
  if (process.env.PENSTOCK_PICTURES === "1") {
    mkdirSync(IMAGES, { recursive: true });
    await page.screenshot({ path: join(IMAGES, `ui-${name}.png`) });
  }
}

/**
 * Looks at places at every width, light and dark: nothing is wider than the window, nothing serious
 * for the accessibility checker. `before` may open what stands behind a place.
 */
export async function look(browser, places, before = async () => undefined) {
  const wrong = [];
  for (const size of Object.keys(SIZES)) {
    for (const dark of [false, true]) {
      const page = await enter(browser, { size, dark });
      for (const place of places) {
        await page.goto(`${url}#/${place}`);
        await settle(page);
        await before(page, place);
        const name = `${size}-${dark ? "dark" : "light"}-${place.replaceAll("/", "-")}`;
        await picture(page, name);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) {
          wrong.push(`${name} is ${wide} pixels wider than the window`);
        }
        wrong.push(...(await barriers(page)).map((barrier) => `${name}: ${barrier}`));
      }
      wrong.push(...page.wrong);
      await page.context().close();
    }
  }
  check(wrong.length === 0, wrong.join("\n"));
}
