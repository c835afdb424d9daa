// A file of a page does not come: for a moment, then for good. The frame stays, the place says what is
// missing, and loading anew brings it.
import { check, documented, enter, goTo, run, settle } from "./browser.mjs";

const FILES = "**/assets/*";

run(async (browser) => {
  const page = await enter(browser);
  await settle(page);
  let failures = 2;
  await page.route(FILES, (route) => (failures-- > 0 ? route.abort() : route.continue()));
  await goTo(page, "Group"); // tried again by itself
  check(failures < 0, "nothing failed");
  await page.unroute(FILES);

  await page.route(FILES, (route) => route.abort());
  await page.getByRole("menuitem", { name: /(^| )Alarm$/ }).click();
  await page.getByText("This page cannot be shown").waitFor();
  await documented(page, "broken");
  await page.unroute(FILES);
  await goTo(page, "Overview"); // the rest is there
  await page.getByRole("menuitem", { name: /(^| )Alarm$/ }).click();
  await page.getByText("This page cannot be shown").waitFor();
  await page.getByRole("button", { name: "Load anew" }).click();
  await settle(page);
  await page.getByRole("heading", { name: "Alarm", exact: true }).waitFor();
  page.wrong.length = 0; // what was kept from it is no fault
});
