// A change on trial is kept, another one taken back; then two people change the configuration at once
// and the second is asked.
import { dialogue, documented, enter, goTo, run, settle, until } from "./browser.mjs";
import { button, dialog, gone } from "./devices.mjs";

async function trials(page, other) {
  // Said on every page, with the way to where it is decided.
  await page.getByText(/^Revision 2 runs on trial and goes back by itself/).waitFor();
  await page.getByRole("button", { name: "Look at it" }).or(page.getByRole("link", { name: "Look at it" })).click();
  await settle(page);
  await page.getByText("Revision 2 runs on trial", { exact: true }).waitFor();
  await documented(page, "trial");
  await button(page, "Keep it").click();
  await page.getByText("The revision stays").waitFor();
  await gone(page.getByText("Revision 2 runs on trial", { exact: true }));
  await other.say("kept");
  await page.getByText("Revision 3 runs on trial", { exact: true }).waitFor();
  await button(page, "Go back now").click();
  await page.getByText("What revision 2 held runs again").waitFor();
  await page.getByRole("link", { name: "4", exact: true }).waitFor();
}

async function openGroup(page) {
  await button(page, "Edit group default").click();
  await dialog(page).getByLabel("Uploading Interval").fill("7");
}

async function atOnce(page, other) {
  await goTo(page, "Group");
  await openGroup(page);
  await other.say("open");
  await button(dialog(page), "Save").click();
  const question = page.getByRole("dialog", { name: "The configuration has been changed meanwhile" });
  await question.getByText(/revision 5/).waitFor();
  await documented(page, "conflict");
  await button(question, "Save on top").click();
  await gone(page.getByRole("dialog"));
  await until(async () => (await page.getByRole("row").filter({ hasText: "default" }).innerText()).includes("7"), "the interval");
  await other.say("saved");
}

run(async (browser) => {
  const other = dialogue();
  const page = await enter(browser);
  await settle(page);
  await trials(page, other);
  await atOnce(page, other);
  other.close();
});
