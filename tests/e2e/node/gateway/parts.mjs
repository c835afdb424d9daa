// What scenarios of forms and of the script editor do again and again.
import { until } from "./browser.mjs";
/** `scope`: a window of the page; lists drop down outside of it. */
export async function choose(scope, label, value, page = scope) {
  await scope.getByRole("combobox", { name: label }).click();
  await pick(page, value);
}

/** What is said twice, for wide and for narrow windows, as it is seen. */
export const seen = (scope, text) => scope.getByText(text).locator("visible=true").first();

/** From the list that has dropped down. */
export async function pick(page, value) {
  const exactly = new RegExp(`^${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
  await page.locator(".ant-select-dropdown:visible .ant-select-item-option-content").filter({ hasText: exactly }).click();
}

/** The page stands at this place of its address. */
export async function at(page, place) {
  await until(() => page.evaluate((hash) => window.location.hash === hash, `#/${place}`), `the page at ${place}`);
}

const code = (page) => page.getByRole("textbox", { name: "Script" });

/** Replaces the whole script, as somebody who pastes it does. */
export async function writeScript(page, text) {
  await code(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

/** What the editor holds; only the lines that are shown, which a short script's all are. */
export const scriptText = (page) => code(page).innerText();

/** Numbers of the lines that are marked as mistakes. */
export async function marked(page) {
  return page.evaluate(() => {
    const top = (element) => Math.round(element.getBoundingClientRect().top);
    const lines = [...document.querySelectorAll(".cm-lineNumbers .cm-gutterElement")];
    return [...document.querySelectorAll(".cm-lint-marker-error")].map((mark) => {
      const row = mark.closest(".cm-gutterElement");
      return Number(lines.find((line) => top(line) === top(row))?.textContent ?? 0);
    });
  });
}

/** No payload, name or log line has become part of the page. */
export async function nothingRan(page) {
  return page.evaluate(() => window.ran === undefined && document.querySelector("main img[src=x], main b.hostile") === null);
}
