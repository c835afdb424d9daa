// Alarms, cloud and messages at every width, light and dark, without barriers.
import { documented, enter, look, run, settle, url } from "./browser.mjs";

const PLACES = [
  "alarms",
  "alarms/strategy",
  "alarms/history",
  "cloud",
  "messages",
  "messages/publish/readings",
  "messages/new-subscribe",
  "messages/dead",
];

/** For the documentation, with nothing strange in them. */
async function pictures(browser) {
  const page = await enter(browser);
  const at = async (place) => {
    await page.goto(`${url}#/${place}`);
    await settle(page);
  };
  await at("alarms");
  await page.getByText("Triggered").locator("visible=true").first().waitFor();
  await documented(page, "alarms");
  await at("alarms/history");
  await page.getByText("Triggered").locator("visible=true").first().waitFor();
  await documented(page, "alarm-history");
  await at("alarms/strategy");
  await page.getByRole("cell", { name: /^Level is too high/ }).waitFor();
  await documented(page, "alarm-strategy");
  await page.getByRole("button", { name: "Edit Level is too high" }).click();
  await page.getByText(/^Begins when Test is > 30/).waitFor();
  await documented(page, "alarm-form");
  await page.getByRole("button", { name: "Cancel" }).click();
  await at("messages/dead/fails");
  await page.getByRole("button", { name: /^Dead letter/ }).first().click();
  await page.getByRole("dialog").getByText(/ZeroDivisionError/).first().waitFor();
  await documented(page, "dead-letter");
}

await run(async (browser) => {
  await look(browser, PLACES, async (page, place) => {
    if (place.startsWith("messages/publish") || place.startsWith("messages/new")) {
      await page.getByRole("textbox", { name: "Script" }).waitFor();
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByText("The call went well").waitFor();
    }
    if (place === "cloud") {
      await page.getByText("Advanced Settings").click();
      await page.getByRole("button", { name: "Examine the connection" }).click();
      await page.locator(".gc-step").first().waitFor();
    }
    if (place === "alarms/strategy") {
      await page.getByRole("cell", { name: /^Level/ }).first().waitFor();
    }
  });
  await pictures(browser);
});
