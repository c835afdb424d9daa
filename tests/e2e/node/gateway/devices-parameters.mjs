// Serial ports, the gateway's own settings, custom parameters; a device behind a port; what is used.
import { check, documented, enter, goTo, run } from "./browser.mjs";
import { button, choose, dialog, gone, until } from "./devices.mjs";

async function serial(page) {
  await page.getByText("There is no serial port yet.").waitFor();
  await button(page, "Add serial port").click();
  const window = dialog(page);
  await window.getByLabel("Name", { exact: true }).fill("RS485");
  await window.getByLabel("Device file").fill("/dev/ttyS9");
  await choose(window, "Baud Rate", "19200");
  await choose(window, "Parity", "even");
  await button(window, "Save").click();
  await gone(window);
  await page.getByRole("cell", { name: "/dev/ttyS9" }).waitFor();
}

async function settings(page) {
  const card = page.locator(".ant-card").filter({ hasText: "Default Parameter" });
  const submit = button(card, "Submit");
  check(await submit.isDisabled(), "there is nothing to submit yet");
  const field = card.getByLabel("Historical alarm max");
  await field.fill("99999999");
  await card.locator(".ant-form-item-has-error").waitFor();
  await field.fill("500");
  await button(card, "Reset").click();
  check((await field.inputValue()) === "2000", "Reset takes it back");
  await field.fill("500");
  // Leaving asks first.
  page.once("dialog", (question) => void question.dismiss());
  await page.getByRole("menuitem", { name: "Group", exact: true }).click();
  check(page.url().endsWith("#/parameters"), "the page was left with unsaved changes");
  await submit.click();
  await until(() => submit.isDisabled(), "the change to be saved");
  check((await field.inputValue()) === "500", "what was saved is shown");
}

async function custom(page) {
  await button(page, "Add parameter").click();
  const window = dialog(page);
  await window.getByLabel("Parameters", { exact: true }).fill("site");
  await window.getByLabel("Parameters Value").fill("north");
  await button(window, "Save").click();
  await gone(window);
  await page.getByRole("cell", { name: "north", exact: true }).waitFor();
  // What is named like a secret is not shown, and kept when another one changes.
  await page.getByText("not shown").waitFor();
  await button(page, "Edit parameter site").click();
  await dialog(page).getByLabel("Parameters Value").fill("south");
  await button(dialog(page), "Save").click();
  await gone(dialog(page));
  await page.getByRole("cell", { name: "south", exact: true }).waitFor();
  await documented(page, "parameters");
}

async function behindThePort(page) {
  await goTo(page, "Device List");
  await button(page, "Add device").click();
  const window = dialog(page);
  await window.getByLabel("Name", { exact: true }).fill("Meter");
  await choose(window, "Protocol", "ModbusRTU");
  await choose(window, "Serial Port", "RS485");
  await window.getByText("Baud rate 19200, data bits 8, parity even, stop bits 1").waitFor();
  await button(window, "Save").click();
  await gone(window);
  await page.getByText("Slave: 1 (RS485)").waitFor();
}

async function usedOnes(page) {
  await goTo(page, "Parameter Settings");
  await button(page, "Delete serial port RS485").click();
  await button(dialog(page), "Delete").click();
  await page.getByRole("alert").filter({ hasText: "Meter" }).waitFor();
  await page.getByRole("alert").getByRole("button", { name: "Close" }).or(page.locator(".ant-notification-notice-close")).first().click();
  await goTo(page, "Group");
  await page.getByRole("cell", { name: "slow", exact: true }).waitFor();
  await documented(page, "groups");
  await button(page, "Delete group slow").click();
  await page.getByText("Its 2 variables will belong to the predefined group.").waitFor();
  await button(dialog(page), "Delete").click();
  await gone(page.getByRole("cell", { name: "slow", exact: true }));
}

run(async (browser) => {
  const page = await enter(browser, { place: "parameters" });
  await serial(page);
  await settings(page);
  await custom(page);
  await behindThePort(page);
  await usedOnes(page);
});
