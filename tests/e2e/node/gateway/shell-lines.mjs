// Lines on the overview: the busiest first with the group that takes most, a device that is left alone
// and until when, two hundred of them, and live: a line that has room again says so.
import { barriers, check, dialogue, documented, enter, picture, run, settle, until, url } from "./browser.mjs";

const list = (page) => page.getByRole("list", { name: "Lines" });
const rows = (page) => list(page).getByRole("listitem");

async function look(browser, dark, name) {
  const page = await enter(browser, { dark });
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await settle(page);
    await list(page).scrollIntoViewIfNeeded();
    await picture(page, `${name}-${width}`);
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    await until(fits, `the overview no wider than its window of ${width} pixels`);
    const found = await barriers(page);
    check(found.length === 0, found.join("\n"));
  }
  check(page.wrong.length === 0, page.wrong.join("\n"));
  await page.context().close();
}

run(async (browser) => {
  const test = dialogue();
  await look(browser, false, "lines-light");
  await look(browser, true, "lines-dark");
  const page = await enter(browser);
  await settle(page);
  const first = rows(page).first();
  await first.getByText("mostly for group quick: ").waitFor();
  await first.getByText("the groups ask for more than the line gives").waitFor();
  await first.getByRole("img", { name: /is read \d{3,} % of the time$/ }).waitFor();
  await first.getByText(/is left alone until \d\d:\d\d:\d\d/).waitFor();
  check((await rows(page).count()) === 8, "not the eight busiest are shown");
  await list(page).evaluate((element) => element.scrollIntoView({ block: "center" }));
  await documented(page, "lines");
  await page.getByRole("button", { name: "Show all 200 lines" }).click();
  check((await rows(page).count()) === 200, "not all lines are shown");
  await page.getByRole("button", { name: "Show the 8 busiest" }).click();
  await rows(page).first().getByRole("link", { name: "S2" }).click(); // as long as it is left alone
  await page.getByRole("heading", { name: "Variables Table(S2)" }).waitFor();
  await page.goto(`${url}#/overview`);
  await settle(page);
  await rows(page).first().waitFor();
  await test.say("busy");
  await until(async () => parseFloat(await rows(page).first().locator("strong").innerText()) < 80, "the line to have room");
  await page.getByRole("heading", { name: "Lines" }).getByRole("link").click();
  await page.getByRole("heading", { name: "Device List" }).waitFor();
  test.close();
});
