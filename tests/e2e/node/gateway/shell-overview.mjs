// The overview is live: what happens in the plant and in the cloud is seen without a touch.
import { check, dialogue, documented, enter, run, settle, until } from "./browser.mjs";

run(async (browser) => {
  const other = dialogue();
  const page = await enter(browser);
  await settle(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByText("All devices answer.").waitFor();
  check((await page.getByRole("heading", { name: "First steps" }).count()) === 0, "a gateway that delivers needs no guide");
  const count = async () => {
    const text = await page.getByRole("row", { name: /^readings/ }).getByRole("cell").nth(1).innerText();
    return Number(text.replace(/\D/g, ""));
  };
  const before = await count();
  await until(async () => (await count()) > before + 2, "the ledger counts on");
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
