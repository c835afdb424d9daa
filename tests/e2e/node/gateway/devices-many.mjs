// A hundred thousand variables: scrolled from end to end, with few rows in the document and pages
// that come as one gets to them.
import { check, documented, enter, run, told } from "./browser.mjs";
import { rowOf, until } from "./devices.mjs";

const QUICK_MS = 3000; // from a jump to the rows that stand there, on a slow machine

run(async (browser) => {
  const page = await enter(browser, { place: "devices" });
  const body = page.locator(".gd-body");
  await rowOf(page, "v000000").waitFor();
  await page.getByText(`Total ${told.count.toLocaleString("en")} items`).waitFor();
  const times = [];
  for (const part of [0.5, 0.999, 0.25, 1, 0.75, 0]) {
    const begin = Date.now();
    await body.evaluate((box, at) => box.scrollTo({ top: (box.scrollHeight - box.clientHeight) * at }), part);
    const [first, height] = await body.evaluate((box) => [box.scrollTop, box.querySelector(".gd-row").offsetHeight]);
    const wanted = `v${String(Math.min(Math.round(first / height) + 2, told.count - 1)).padStart(6, "0")}`;
    await rowOf(page, wanted).waitFor();
    times.push(Date.now() - begin);
    const rows = await page.locator(".gd-space > .gd-row").count();
    check(rows < 80, `${rows} rows are in the document`);
  }
  check(Math.max(...times) < QUICK_MS, `rows after a jump took ${times.join(", ")} ms`);
  console.log(JSON.stringify({ jumps_ms: times }));
  // Values of what is in view, also in the middle.
  await body.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
  await until(async () => (await page.locator(".gd-space .gd-number").allInnerTexts()).some((text) => text !== ""), "values in the middle");
  await documented(page, "devices-many");
  // The pager is the same place said otherwise.
  await page.locator(".gd-foot").getByTitle("1", { exact: true }).click();
  await rowOf(page, "v000000").waitFor();
  await page.getByPlaceholder("Input Variable Name").fill("v09999");
  await page.getByText("Total 10 items").waitFor();
  await rowOf(page, "v099999").waitFor();
  // Scrolling as a person does, by keys.
  await page.getByPlaceholder("Input Variable Name").fill("");
  await page.getByText(`Total ${told.count.toLocaleString("en")} items`).waitFor();
  await body.focus();
  await page.keyboard.press("End");
  await rowOf(page, `v${String(told.count - 1).padStart(6, "0")}`).waitFor();
});
