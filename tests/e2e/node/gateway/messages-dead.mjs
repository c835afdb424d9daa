// Dead letters: what a script did not finish is looked at as text, the script corrected, and the
// letters replayed by an operator, who may; a held script is released.
import { check, enter, goTo, picture, run, told, until } from "./browser.mjs";
import { nothingRan, writeScript } from "./parts.mjs";

const GOOD = `def main(data_collect, wizard_api):
    return data_collect["values"]
`;

async function look(page) {
  await goTo(page, "Message Management");
  await page.getByRole("link", { name: /dead$/ }).first().click();
  await page.getByRole("button", { name: /^Dead letter/ }).first().click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText(told.hostile).first().waitFor();
  await drawer.getByText('"raw_data"').first().waitFor();
  check(await nothingRan(page), "tracebacks and inputs are text");
  await picture(page, "dead-letter");
  await drawer.getByRole("button", { name: "Close" }).click();
}

async function correct(page) {
  await page.goto(page.url().replace(/#.*/, "#/messages/publish/readings"));
  await page.getByRole("textbox", { name: "Script" }).waitFor();
  await writeScript(page, GOOD);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByText('Message "readings" is saved').waitFor();
}

async function replay(browser) {
  const page = await enter(browser, { place: "messages/dead/readings", ...told.operator });
  await page.getByRole("button", { name: 'Replay "readings"' }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByText(/Replay of "readings" ended: (\d+) of \1 done/).waitFor();
  await page.getByText("There are no dead letters.").waitFor();
  await picture(page, "dead-replayed");
}

async function release(browser) {
  const page = await enter(browser, { place: "messages", ...told.operator });
  const row = page.getByRole("row").filter({ hasText: "broken" });
  await row.getByText("held", { exact: true }).waitFor();
  await row.getByText("cannot be built").waitFor();
  await row.getByRole("button", { name: "Release broken" }).click();
  await page.getByText('"broken" is started again').waitFor();
  check((await page.getByRole("link", { name: "Add publish message" }).count()) === 0, "an operator adds no messages");
}

await run(async (browser) => {
  const page = await enter(browser);
  await look(page);
  await correct(page);
  await replay(browser);
  await release(browser);
  await until(async () => nothingRan(page), "nothing to have run");
});
