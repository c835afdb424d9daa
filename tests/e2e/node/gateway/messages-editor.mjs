// Message Management: a publish message written by hand with completion, run, marked, saved and seen
// to be delivered; a canary; a subscribe message that is called; a held script that is released.
import { check, dialogue, documented, enter, goTo, picture, run, settle, told, until } from "./browser.mjs";
import { at, marked, nothingRan, scriptText, writeScript } from "./parts.mjs";

const MANUAL = `import logging

def vars_upload_test(data_collect, wizard_api):
    value_list = []
    for device, val_dict in data_collect['values'].items():
        value_dict = {"Device": device, "timestamp": data_collect["timestamp"], "Data": {}}
        for id, val in val_dict.items():
            value_dict["Data"][id] = val["raw_data"]
        value_list.append(value_dict)
    logging.info(value_list)
    return value_list
`;
const HOSTILE = '<img src=x onerror="window.ran=1">';

async function newMessage(page) {
  await goTo(page, "Message Management");
  await page.getByRole("link", { name: "Add publish message" }).click();
  await page.getByLabel("Name").fill("data_upload");
  await page.getByLabel("Topic", { exact: true }).fill("awsiot/test");
  await page.getByRole("textbox", { name: "Script" }).waitFor();
  check((await scriptText(page)).includes("def main(data_collect, wizard_api)"), "a new message has a script that works");
  await page.getByRole("combobox", { name: "Main Function" }).fill("vars_upload_test");
  await until(async () => (await scriptText(page)).includes("def vars_upload_test("), "the template to follow the name");
}

async function complete(page) {
  await writeScript(page, 'def vars_upload_test(data_collect, wizard_api):\n    x = ');
  await page.keyboard.type('data_collect["');
  const offers = page.locator(".cm-tooltip-autocomplete");
  await offers.getByText("values", { exact: true }).waitFor();
  await page.keyboard.type("va");
  await offers.getByText("timestamp").waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await page.keyboard.type('["');
  await offers.getByText("Temperature_Sensor").click();
  await page.keyboard.type('["');
  await offers.getByText("Test", { exact: true }).click();
  check(
    (await scriptText(page)).includes('x = data_collect["values"]["Temperature_Sensor"]["Test"]'),
    `the keys are put in and closed: ${await scriptText(page)}`,
  );
  await page.keyboard.press("End");
  await page.keyboard.type("\nwizard_api.");
  await offers.getByText("awsiot_publish").waitFor();
  await documented(page, "message-completion");
  await page.keyboard.press("Escape");
}

async function runAndMark(page) {
  await writeScript(page, `${MANUAL}\n\ndef f():\n    raise ValueError('${HOSTILE}')\n`);
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("The call went well").waitFor();
  await page.getByLabel("Return value").getByText("Temperature_Sensor").waitFor();
  await page.getByText(/of at most 128 KiB/).first().waitFor();
  await page.getByText(/'Device': 'Temperature_Sensor'/).waitFor();
  await writeScript(page, MANUAL.replace("value_list = []", `raise ValueError('${HOSTILE}')`));
  await page.keyboard.press("Control+Enter");
  await page.getByText("The call failed").waitFor();
  await page.getByText(HOSTILE).first().waitFor();
  await until(async () => (await marked(page)).includes(4), "the mark at line 4");
  await picture(page, "message-run-error");
  check(await nothingRan(page), "what a script raises is text");
  await writeScript(page, MANUAL.replace("logging.info(value_list)", `logging.info('${HOSTILE}')`).replace("return value_list", `return '${HOSTILE}'`));
  await page.keyboard.press("Control+Enter");
  await page.getByLabel("Return value").getByText(HOSTILE).waitFor();
  await page.getByRole("region", { name: "Log" }).getByText(HOSTILE).waitFor();
  check(await nothingRan(page), "payloads and log lines are text");
}

async function save(page) {
  await writeScript(page, MANUAL.replace("value_list = []", "value_list = ["));
  await page.getByRole("button", { name: "Submit" }).click();
  await until(async () => (await marked(page)).includes(4), "the gateway's refusal at line 4");
  await writeScript(page, MANUAL);
  await page.keyboard.press("Control+s");
  await at(page, "messages/publish/data_upload");
  await settle(page);
  await page.getByRole("textbox", { name: "Script" }).waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByLabel("Return value").getByText("Temperature_Sensor").waitFor();
  await documented(page, "message-editor");
}

/** Escape, then Tab leaves the editor; Tab alone indents. */
async function keys(page) {
  await page.getByRole("textbox", { name: "Script" }).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement?.classList.contains("cm-content")), "Tab stays in the editor");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => !document.activeElement?.classList.contains("cm-content")), "Escape, Tab leaves it");
}

async function canary(page) {
  await writeScript(page, MANUAL.replace("value_list = []", 'value_list = ["draft"]'));
  await page.getByRole("tab", { name: "Canary" }).click();
  await page.getByRole("spinbutton", { name: "Calls to compare" }).fill("3");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("3 of 3 calls compared").waitFor();
  await page.getByText(/3\s*different/).waitFor();
  await page.getByLabel("Draft").getByText('"draft"').waitFor();
  await page.getByRole("button", { name: "Reset" }).click();
}

async function delivered(page) {
  await page.getByRole("link", { name: "Back" }).click();
  const shown = page.locator('[data-delivered="data_upload"]:visible');
  await shown.waitFor();
  const count = async () => Number((await shown.innerText()).replaceAll(",", ""));
  const first = await count();
  await until(async () => (await count()) > first + 1, "the count of deliveries to rise");
}

async function subscribe(page, test) {
  await page.getByRole("link", { name: "Add subscribe message" }).click();
  await page.getByLabel("Name").fill("data_receive");
  await page.getByLabel("Topic", { exact: true }).fill("awsiot/send");
  await page.getByRole("textbox", { name: "Script" }).waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("region", { name: "Log" }).getByText("Hello from AWS IoT console").waitFor();
  await page.getByRole("button", { name: "Submit" }).click();
  await at(page, "messages/subscribe/data_receive");
  await page.getByRole("link", { name: "Back" }).click();
  const row = page.getByRole("row").filter({ hasText: "data_receive" });
  await row.getByText("running").waitFor();
  await test.say("send");
  await row.getByRole("cell", { name: "1", exact: true }).waitFor();
  await documented(page, "messages");
}

async function unsaved(page) {
  await page.getByRole("link", { name: "data_upload" }).click();
  await page.getByRole("textbox", { name: "Script" }).waitFor();
  await writeScript(page, "# mine\n");
  const dialog = page.waitForEvent("dialog");
  void page.getByRole("link", { name: "Back" }).click();
  await (await dialog).dismiss();
  check((await scriptText(page)).includes("# mine"), "who stays keeps what was typed");
  await page.getByRole("button", { name: "Reset" }).click();
  await page.getByRole("link", { name: "Back" }).click();
}

async function remove(page) {
  await page.getByRole("button", { name: "Actions data_receive" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing is subscribed to yet.").waitFor();
}

async function viewer(browser) {
  const page = await enter(browser, { place: "messages/publish/data_upload", ...told.viewer });
  await page.getByText("Engineers see and change the script.").waitFor();
  check(await page.getByLabel("Topic", { exact: true }).isDisabled(), "a viewer changes nothing");
}

await run(async (browser) => {
  const test = dialogue();
  const page = await enter(browser);
  await newMessage(page);
  await complete(page);
  await runAndMark(page);
  await save(page);
  await keys(page);
  await canary(page);
  await delivered(page);
  await subscribe(page, test);
  await unsaved(page);
  await remove(page);
  await viewer(browser);
  test.close();
});
