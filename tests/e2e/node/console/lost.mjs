// The server goes and comes back while a page is open: the page says so, and heals by itself.
import { check, dialogue, open, picture, run } from "./browser.mjs";

run(async (browser) => {
  const test = dialogue();
  const page = await open(browser);
  await page.getByRole("heading", { name: "Things" }).waitFor();
  await page.getByRole("menuitem", { name: "Test" }).click();
  await page.getByLabel("Subscription topic").fill("awsiot/test");
  await page.getByRole("button", { name: "Subscribe to topic" }).click();
  await page.getByText("No messages yet").waitFor();
  await page.getByRole("menuitem", { name: "Things" }).click();
  await test.say("open"); // the server is gone
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("Connection lost").waitFor();
  await picture(page, "lost");
  await test.say("lost"); // it is back, with one more thing
  await page.getByText("Connection lost").waitFor({ state: "hidden" });
  await page.getByRole("link", { name: "made_meanwhile" }).waitFor();
  await page.getByRole("menuitem", { name: "Test" }).click();
  await page.getByText("The messages' stream is cut").waitFor({ state: "hidden" });
  await page.getByLabel("Publish to topic").fill("awsiot/test");
  await page.getByRole("button", { name: "Publish to topic" }).click();
  await page.getByRole("article").first().waitFor();
  check((await page.getByRole("article").count()) === 1, "the message is shown more than once");
  test.close();
});
