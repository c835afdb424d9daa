// The overview is live: what happens in the plant and in the cloud is seen without a touch.
import { check, dialogue, documented, enter, run, settle } from "./browser.mjs";

run(async (browser) => {
  const other = dialogue();
  const page = await enter(browser);
  await settle(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByText("All devices answer.").waitFor();
  check((await page.getByRole("heading", { name: "First steps" }).count()) === 0, "a gateway that delivers needs no guide");
  const delivered = page.getByRole("row", { name: /readings/ }).getByRole("cell").nth(2);
  const before = Number((await delivered.innerText()).replace(/\D/g, ""));
  await page.waitForFunction(
    ([selector, was]) => Number(document.querySelector(selector)?.textContent.replace(/\D/g, "")) > was + 2,
    ['tr[data-row-key="readings"] td:nth-child(3)', before],
  );
  await page.getByRole("img", { name: /^Messages a second: from/ }).waitFor();
  await page.getByRole("img", { name: /^Devices: from/ }).waitFor();
  await documented(page, "overview");
  await other.say("device");
  await page.getByText("0 of 1").waitFor();
  await other.say("cloud");
  await page.getByText("Connected", { exact: true }).waitFor({ state: "hidden" });
  await documented(page, "overview-trouble");
  other.close();
});
