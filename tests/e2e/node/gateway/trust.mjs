// The certificate of an OPC UA server: found from its device, looked at, accepted, revoked; what
// other roles see; nothing met; the list that does not come. At every width, light and dark.
import { barriers, check, documented, enter, goTo, look, picture, run, told, until, url } from "./browser.mjs";
import { button, dialog, gone, rowOf, valueOf } from "./devices.mjs";

const TITLE = { name: "Trusted Servers" };
const grouped = told.fingerprint.toUpperCase().match(/.{4}/g).join(" ");
const part = (page, name) => page.getByRole("region", { name });

async function noBarriers(page, what) {
  const found = await barriers(page);
  check(found.length === 0, `${what}: ${found.join("\n")}`);
}

async function viewer(browser) {
  const page = await enter(browser, { name: "vera", password: told.password, place: "devices/press" });
  await rowOf(page, "level").waitFor();
  check((await page.getByRole("link", { name: /waits: look at it/ }).count()) === 0, "a viewer is led nowhere");
  check((await page.getByRole("link", TITLE).count()) === 0, "a viewer has no such link");
  await page.goto(`${url}#/trust`);
  await page.getByText("Engineers see this list, and administrators decide.").waitFor();
  check(page.wrong.length === 0, page.wrong.join("\n"));
  await page.context().close();
}

async function engineer(browser) {
  const page = await enter(browser, { name: "emil", password: told.password, place: "devices" });
  await page.getByRole("link", { name: "Certificate of press's server waits: look at it" }).click();
  await page.getByRole("heading", TITLE).waitFor();
  await part(page, "Waiting for a decision (1)").getByText(grouped).waitFor();
  await page.getByText("Only administrators accept and revoke.").waitFor();
  check((await page.getByRole("button", { name: /^(Accept|Revoke) / }).count()) === 0, "an engineer decides nothing");
  // Of a device whose server was never reached.
  await page.goto(`${url}#/trust/oven`);
  await page.getByText("The gateway has met no certificate of oven's server.").waitFor();
  check(page.wrong.length === 0, page.wrong.join("\n"));
  await page.getByRole("link", { name: "Show all" }).click();
  await part(page, "Waiting for a decision (1)").waitFor();
  // The list that does not come is said, and comes with the next try.
  const problem = { title: "Internal error", detail: "rejected: Input/output error" };
  await page.route("**/api/v1/trust", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify(problem) }));
  await button(page, "Refresh").click();
  await page.getByRole("alert").getByText("rejected: Input/output error").waitFor();
  await page.unroute("**/api/v1/trust");
  await page.getByRole("alert").getByText("rejected: Input/output error").waitFor({ state: "detached" });
  await page.context().close();
}

/** From the question mark of a value to the decision; the question can be left. */
async function accept(page) {
  await rowOf(page, "level").waitFor();
  await button(page, "Explain level").click();
  await dialog(page).getByText("The certificate of this device's server waits to be accepted.").waitFor();
  await noBarriers(page, "the explanation");
  await dialog(page).getByRole("link", { name: "Look at it" }).click();
  const waits = part(page, "Waiting for a decision (1)");
  await waits.getByText(grouped).waitFor();
  await waits.getByText(told.warning).waitFor();
  await waits.getByText(told.subject).first().waitFor();
  await documented(page, "trust");
  await noBarriers(page, "the page");
  const ask = page.getByRole("button", { name: `Accept ${told.subject}` });
  await ask.click();
  await dialog(page).getByText(grouped).waitFor();
  await dialog(page).getByText(told.warning).waitFor();
  await picture(page, "question");
  await noBarriers(page, "the question");
  await button(dialog(page), "Cancel").click();
  await gone(dialog(page));
  await waits.waitFor();
  await ask.click();
  await button(dialog(page), "Accept").click();
  await part(page, "Trusted (1)").getByText(grouped).waitFor();
  await part(page, "Waiting for a decision (0)").waitFor();
  await goTo(page, "Device List");
  await until(async () => (await valueOf(page, "level").catch(() => "")) !== "", "a value of the server", 90_000);
  check((await page.getByRole("link", { name: /waits: look at it/ }).count()) === 0, "nothing waits any more");
}

async function revoke(page) {
  await page.getByRole("link", TITLE).click();
  await page.getByRole("heading", { name: "The gateway's own certificate" }).waitFor();
  await page.getByText("own-certificate.der").waitFor();
  await page.getByRole("button", { name: `Revoke ${told.subject}` }).click();
  await dialog(page).getByText("The gateway will not connect (press) again").waitFor();
  await button(dialog(page), "Revoke").click();
  await part(page, "Waiting for a decision (1)").getByText(grouped).waitFor();
  await part(page, "Trusted (0)").getByText("No server is trusted yet.").waitFor();
}

run(async (browser) => {
  await viewer(browser);
  await engineer(browser);
  await look(browser, ["trust", "devices/press"]);
  const page = await enter(browser, { place: "devices/press" });
  await accept(page);
  await revoke(page);
  check(page.wrong.length === 0, page.wrong.join("\n"));
});
