// Names, values, log lines and payloads that want to be a page are shown as text.
import { check, enter, goTo, run, settle, told, url } from "./browser.mjs";

/** Places where the hostile names come up; what is not there yet is not looked at. */
const PLACES = ["overview", "devices", `devices/${encodeURIComponent(told.hostile)}`, "groups", "alarms", "cloud", "messages", "parameters", "logs", "revisions", "revisions/1", "users", "users/audit"];

/** Where it certainly stands. */
const SURE = ["devices", "revisions/1", "logs"];

async function harmless(page, where) {
  const found = await page.evaluate(() => ({
    ran: window.ran !== undefined,
    images: document.querySelectorAll("img").length,
    scripts: [...document.scripts].filter(({ src }) => src === "").length,
    bold: document.querySelectorAll("marquee, iframe, object").length,
  }));
  check(!found.ran && found.images === 0 && found.scripts === 0 && found.bold === 0, `${where}: ${JSON.stringify(found)}`);
}

run(async (browser) => {
  const page = await enter(browser);
  let seen = 0;
  for (const place of PLACES) {
    await page.goto(`${url}#/${place}`);
    await settle(page);
    if (SURE.includes(place)) {
      await page.getByText(told.hostile).first().waitFor();
    }
    seen += (await page.getByText(told.hostile).count()) > 0 ? 1 : 0;
    await harmless(page, place);
  }
  check(seen >= 3, `the hostile names are seen on ${seen} pages only`);
  await goTo(page, "Logs");
  await page.getByRole("option").filter({ hasText: told.hostile }).first().waitFor();
  await harmless(page, "a log line");
});
