// A person adds a device of each protocol and a variable of it, by typing into the fields that its
// form has; what is saved is looked at outside.
import { check, enter, picture, run } from "./browser.mjs";
import { button, choose, dialog, gone, rowOf } from "./devices.mjs";

async function fill(window, fields) {
  for (const [label, value] of Object.entries(fields)) {
    await window.getByLabel(label, { exact: true }).fill(value);
  }
}

const labelsOf = async (window) =>
  (await window.locator(".ant-form-item-label").allInnerTexts()).map((text) => text.trim()).join(", ");

async function addDevice(page, name, protocol, labels, setUp) {
  await button(page, "Add device").click();
  const window = dialog(page);
  await choose(window, "Protocol", protocol);
  await fill(window, { Name: name });
  await setUp(window);
  const shown = await labelsOf(window);
  check(shown === labels, `the form of ${protocol} has ${shown}`);
  await picture(page, `device-${name}`);
  await button(window, "Save").click();
  await gone(window);
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name: `Variables Table(${name})` }).waitFor();
}

async function addVariable(page, name, labels, setUp) {
  await button(page, "Add variable").click();
  const window = dialog(page);
  await fill(window, { "Variable Name": name });
  await setUp(window);
  const shown = await labelsOf(window);
  check(shown === `Variable Name, ${labels}, Read/Write, Mode, Group, Unit, Description`, `the form of ${name} has ${shown}`);
  await picture(page, `variable-${name}`);
  await button(window, "Save").click();
  await gone(window);
  await rowOf(page, name).waitFor();
}

async function s7(page) {
  await addDevice(page, "Press", "ISO-on-TCP", "Name, Protocol, IP Address, Port, Mode, Rack, Slot", async (window) => {
    check((await window.getByLabel("Port", { exact: true }).inputValue()) === "102", "the port of the protocol");
    await fill(window, { "IP Address": "127.0.0.1", Slot: "2" });
  });
  // Typed as the programming software writes it.
  await addVariable(page, "flow", "Register Type, DB Number, Register Address, Data Type, Decimal Places", async (window) => {
    await choose(window, "Data Type", "FLOAT");
    await fill(window, { "Register Address": "DB6.DBD18" });
    await window.getByLabel("Register Address").press("Tab");
  });
  await addVariable(page, "valve", "Register Type, Register Address, Data Type, Register Bit", async (window) => {
    await fill(window, { "Register Address": "A0.3" });
    await window.getByLabel("Register Address").press("Tab");
  });
  await addVariable(page, "level", "Register Type, DB Number, Register Address, Data Type", async (window) => {
    await fill(window, { "DB Number": "7", "Register Address": "14" });
  });
  await addDevice(page, "Logo", "ISO-on-TCP", "Name, Protocol, IP Address, Port, Mode, Client TSAP, Server TSAP", async (window) => {
    await window.getByText("TSAP", { exact: true }).click();
    await fill(window, { "IP Address": "127.0.0.2", "Client TSAP": "02.00", "Server TSAP": "02.01" });
  });
}

async function others(page) {
  await addDevice(page, "Logix", "EtherNet/IP", "Name, Protocol, IP Address, Port", async (window) => {
    await fill(window, { "IP Address": "127.0.0.3" });
  });
  await addVariable(page, "speed", "Symbol, Decimal Places", async (window) => {
    await fill(window, { Symbol: "Program:Main.Speed[3]" });
  });
  const fields = "Name, Protocol, Server URL, Authentication, Username, Password, Security Policy, Security Mode";
  await addDevice(page, "Server", "OPCUA", fields, async (window) => {
    await choose(window, "Authentication", "Username/Password");
    await fill(window, { "Server URL": "opc.tcp://127.0.0.1:4841/plant", Username: "operator", Password: "brass kettle" });
    await choose(window, "Security Policy", "Basic256Sha256");
    await choose(window, "Security Mode", "SignAndEncrypt");
  });
  const node = "Namespace Index, Identifier Type, Identifier, Array Index, Data Type, Decimal Places";
  await addVariable(page, "tank", node, async (window) => {
    await fill(window, { "Namespace Index": "2", Identifier: "Tank.Level", "Array Index": "3" });
  });
}

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  await s7(page);
  await others(page);
  check(page.wrong.length === 0, page.wrong.join("\n"));
});
