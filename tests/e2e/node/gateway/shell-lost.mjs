// The gateway goes and comes back, and a session ends, while a page is open: both are said, and what
// was entered is still there.
import { check, dialogue, documented, enter, goTo, run, settle, told, url } from "./browser.mjs";

run(async (browser) => {
  const other = dialogue();
  const page = await enter(browser);
  await settle(page);
  await goTo(page, "Logs");
  const lines = page.getByRole("listbox", { name: /Log lines/ });
  await lines.getByRole("option").first().waitFor();
  await other.say("stop");
  await page.getByText("Connection lost").waitFor();
  await documented(page, "lost");
  await other.say("start");
  await page.getByText("Connection lost").waitFor({ state: "hidden" });
  // Sessions do not outlive the gateway: one logs in again, over the page as it stands.
  const again = page.getByRole("dialog", { name: "Your session is over" });
  await again.or(lines.getByRole("option").filter({ hasText: "STARTED" }).nth(0)).first().waitFor();
  if (await again.isVisible()) {
    await again.getByLabel("Password", { exact: true }).fill(told.password);
    await documented(page, "expired");
    await again.getByRole("button", { name: "Log in" }).click();
    await again.waitFor({ state: "hidden" });
  }
  await other.say("line");
  await lines.getByRole("option").filter({ hasText: "LOG-LEVEL" }).last().waitFor();
  other.close();
  check(page.url().startsWith(`${url}#/logs`), "the page is the one that was open");
});
