// What every scenario needs: Debian's Chromium, a page without the network beyond its server,
// pictures, and the accessibility checker. A scenario is run by tests/e2e/test_cloud_console.py:
//   node console/SCENARIO.mjs URL FOLDER
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const [, , url, folder] = process.argv;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const SIZES = { phone: [360, 740], desk: [1366, 800], wall: [3840, 2160] };

export function check(condition, what) {
  if (!condition) {
    throw new Error(what);
  }
}

/** Opens a page that counts what it must not do: errors, and calls to anywhere but the server. */
export async function open(browser, { size = "desk", dark = false, at = "", base = url } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    acceptDownloads: true,
    locale: "en-GB",
    timezoneId: "UTC",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.wrong = [];
  page.on("pageerror", (error) => page.wrong.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    // The browser itself reports each refused call; whether it should be refused is the scenario's.
    if (message.type() === "error" && !/Failed to load resource|ERR_|net::/.test(message.text())) {
      page.wrong.push(`console: ${message.text()}`);
    }
  });
  page.on("requestfailed", (request) => {
    if (request.resourceType() === "script" || request.resourceType() === "stylesheet") {
      page.wrong.push(`not loaded: ${request.url()}: ${request.failure()?.errorText}`);
    }
  });
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (!["blob:", "data:"].includes(target.protocol) && target.origin !== new URL(base).origin) {
      page.wrong.push(`call to ${target.origin}`);
    }
  });
  await page.goto(`${base}${at}`);
  return page;
}

export async function picture(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Serious findings of axe, as text. */
export async function barriers(page) {
  // By the debugger's way, which the page's Content-Security-Policy does not concern.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`));
}

/** The other side of the test: says a word to it and waits for its answer. */
export function dialogue() {
  const input = createInterface({ input: process.stdin });
  const next = input[Symbol.asyncIterator]();
  return {
    async say(word) {
      console.log(word);
      return (await next.next()).value;
    },
    close: () => input.close(),
  };
}

// A gateway has a certificate of its own. Its key is trusted, and no other: with errors ignored
// instead, Chromium begins each request again for each new connection, and on a busy machine it gives
// up one of them (ERR_TOO_MANY_RETRIES).
const key = process.env.PENSTOCK_KEY;
const trusted = key ? [`--ignore-certificate-errors-spki-list=${key}`] : [];

/** Runs a scenario; the exit status says whether it held. */
export async function run(scenario) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Tests run as root in containers, where the browser's own sandbox cannot start.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", ...trusted],
  });
  try {
    await scenario(browser);
    for (const context of browser.contexts()) {
      for (const page of context.pages()) {
        check((page.wrong ?? []).length === 0, (page.wrong ?? []).join("\n"));
      }
    }
  } catch (error) {
    for (const [i, page] of browser.contexts().flatMap((context) => context.pages()).entries()) {
      await picture(page, `failed-${i}`).catch(() => undefined);
      console.error((page.wrong ?? []).join("\n"));
    }
    console.error(error);
    process.exitCode = 1;
  } finally {
    await browser.close();
    // A scenario that waited for a word of the test when it failed ends all the same.
    process.stdin.destroy();
  }
}
