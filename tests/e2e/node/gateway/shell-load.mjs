// How much the first page loads, as it is sent, and how soon it can be used.
import { enter, run, settle, url } from "./browser.mjs";

run(async (browser) => {
  const page = await enter(browser);
  await settle(page);
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  let sizes = {};
  const names = new Map();
  client.on("Network.requestWillBeSent", ({ requestId, request }) => names.set(requestId, request.url));
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    sizes[names.get(requestId)?.replace(url, "/")] = encodedDataLength;
  });
  // The fastest of three: what else the machine does is not the page's.
  const times = [];
  for (let i = 0; i < 3; i++) {
    sizes = {};
    const begin = Date.now();
    await page.reload();
    await page.getByRole("heading", { name: "Ledger" }).waitFor();
    times.push(Date.now() - begin);
    await page.waitForLoadState("load");
  }
  const bytes = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  console.log(JSON.stringify({ bytes, ms: Math.min(...times), sizes }));
});
