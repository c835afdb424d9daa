// Cloud: the form of the manual filled in by hand, with a key of another certificate first; the
// connection, the doctor, and what is said when the server is not there.
import { check, documented, enter, picture, run, settle, told } from "./browser.mjs";
import { at, choose } from "./parts.mjs";

async function importFile(page, field, file) {
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: `Import a file for ${field}` }).click(),
  ]);
  await chooser.setFiles(file);
}

const submit = (page) => page.getByRole("button", { name: "Submit" }).click();

async function setPort(page, port) {
  if (!(await page.getByRole("spinbutton", { name: "Port" }).isVisible())) {
    await page.getByText("Advanced Settings").click();
  }
  await page.getByRole("spinbutton", { name: "Port" }).fill(String(port));
}

async function fillIn(page) {
  const enable = page.getByRole("switch", { name: "Enable Cloud Service" });
  if (!(await enable.isChecked())) {
    await enable.click();
  }
  await choose(page, "Type", "AWS IoT");
  await submit(page);
  await page.getByText("Fill in what has a red star.").waitFor();
  await page.getByLabel("Endpoint").fill(`https://${told.endpoint}`);
  await page.getByText("leave out what stands before the host name").waitFor();
  await page.getByLabel("Endpoint").fill(told.endpoint);
  await page.getByLabel("Client ID").fill("awstest");
  await setPort(page, told.port);
}

async function connect(page) {
  await importFile(page, "Certificate For Thing", told.files.cert);
  await page.getByText(/d left/).first().waitFor();
  await importFile(page, "Private Key", told.wrong);
  await page.getByText("does not belong to the certificate").waitFor();
  // A certificate that is put in the place of the key goes where it belongs.
  await importFile(page, "Private Key", told.files.key);
  await page.getByText("belongs to the certificate", { exact: true }).waitFor();
  await importFile(page, "rootCA", told.files.root_ca);
  await page.getByText("Valid until").nth(1).waitFor();
  check(!(await page.content()).includes("PRIVATE KEY"), "a key is never shown");
  await submit(page);
  await page.getByText("Connection Successful").waitFor();
  await page.getByText(/^0 Day 00:0\d:\d\d$/).waitFor();
  check(await page.getByRole("button", { name: "Submit" }).isDisabled(), "nothing is left to submit");
}

async function examine(page) {
  await page.getByRole("button", { name: "Examine the connection" }).click();
  await page.getByText("Everything is well.").waitFor();
  check((await page.locator(".gc-step").count()) >= 4, "the doctor goes through its steps");
  await documented(page, "cloud");
}

/** A port where nobody listens: the state, the cause, the cure, and the doctor agree. */
async function lose(page) {
  await setPort(page, told.closed);
  await submit(page);
  await page.getByText("Disconnect", { exact: true }).waitFor();
  await page.getByText("What to do:").first().waitFor();
  await page.getByRole("button", { name: "Examine the connection" }).click();
  await page.getByRole("img", { name: "failed" }).first().waitFor();
  await page.locator(".gc-cure").waitFor();
  await picture(page, "cloud-doctor");
  await setPort(page, 1);
  await page.getByRole("button", { name: "Reset" }).click();
  check((await page.getByRole("spinbutton", { name: "Port" }).inputValue()) === String(told.closed), "Reset takes entries back");
  await setPort(page, told.port);
  await submit(page);
  await page.getByText("Connection Successful").waitFor();
}

async function unsaved(page) {
  await page.getByLabel("Client ID").fill("other");
  let asked = 0;
  page.on("dialog", (dialog) => {
    asked++;
    void dialog.dismiss();
  });
  await page.getByRole("menuitem", { name: /Logs$/ }).click();
  await at(page, "cloud");
  check(asked === 1 && (await page.getByLabel("Client ID").inputValue()) === "other", "leaving asks, staying keeps what was typed");
  await page.getByRole("button", { name: "Reset" }).click();
}

async function viewer(browser) {
  const page = await enter(browser, { place: "cloud", ...told.viewer });
  await settle(page);
  await page.getByText("Engineers change these settings.").waitFor();
  check(await page.getByLabel("Endpoint").isDisabled(), "a viewer changes nothing");
  check((await page.getByRole("button", { name: "Submit" }).count()) === 0, "and has nothing to submit");
}

await run(async (browser) => {
  const page = await enter(browser, { place: "cloud" });
  await settle(page);
  await fillIn(page);
  await connect(page);
  await examine(page);
  await lose(page);
  await unsaved(page);
  await viewer(browser);
});
