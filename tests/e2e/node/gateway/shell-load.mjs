// How much the first page loads, as it is sent, and how soon it can be used.
import { enter, run, settle, url } from "./browser.mjs";

run(async (browser) => {
  const page = await enter(browser);
  await settle(page);
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  const sizes = {};
  const names = new Map();
  client.on("Network.requestWillBeSent", ({ requestId, request }) => names.set(requestId, request.url));
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes += encodedDataLength;
    sizes[names.get(requestId)?.replace(url, "/")] = encodedDataLength;
  });
  const begin = Date.now();
  await page.reload();
  await page.getByRole("heading", { name: "Ledger" }).waitFor();
  const ms = Date.now() - begin;
  await page.getByRole("img", { name: /from/ }).first().waitFor().catch(() => undefined);
  console.log(JSON.stringify({ bytes, ms, sizes }));
});
