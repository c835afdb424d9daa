// Cloud: Standard MQTT with user name and password, which is kept and never shown again.
import { check, enter, run, settle, told } from "./browser.mjs";
import { choose } from "./parts.mjs";

const submit = (page) => page.getByRole("button", { name: "Submit" }).click();

async function fillIn(page, password) {
  await page.getByLabel("Password").fill(password);
  await submit(page);
}

await run(async (browser) => {
  const page = await enter(browser, { place: "cloud" });
  await settle(page);
  await page.getByRole("switch", { name: "Enable Cloud Service" }).click();
  await choose(page, "Type", "Standard MQTT");
  await page.getByLabel("Server Address").fill("127.0.0.1");
  await page.getByLabel("Client ID").fill("gateway");
  const port = page.getByRole("spinbutton", { name: "Port" });
  check((await port.inputValue()) === "1883", "another type has another usual port");
  await port.fill(String(told.port));
  check((await page.getByRole("button", { name: /Import a file/ }).count()) === 0, "without encryption there is nothing to import");
  await page.getByRole("switch", { name: "Enable Authority" }).click();
  await page.getByLabel("Username").fill("plant");
  await fillIn(page, "wrong");
  await page.getByText("What to do:").waitFor();
  await page.getByText(/^MQTT CONNECT: /).waitFor();
  await fillIn(page, told.secret);
  await page.getByText("Connection Successful").waitFor();
  await page.reload();
  await page.getByText("Connection Successful").waitFor();
  await page.getByPlaceholder(/^kept/).waitFor();
  check(!(await page.content()).includes(told.secret), "a password is not shown again");
});
