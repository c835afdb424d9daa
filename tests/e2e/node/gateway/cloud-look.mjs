// Alarms, cloud and messages at every width, light and dark, without barriers.
import { look, run } from "./browser.mjs";

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
});
