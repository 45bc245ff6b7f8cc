// A headless Chromium of an npm package, and pages that must stay silent.
import assert from "node:assert/strict";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

export async function launch() {
  const args = chromium.args.filter((one) => !["--single-process", "--headless='shell'"].includes(one));
  return playwright.launch({ executablePath: await chromium.executablePath(), args, headless: true });
}

// A page whose requests, errors and alerts are noted; `silent` fails if there was one beyond those to `own` addresses.
export async function open(browser, url, { own = (address) => address === url.split("#")[0], ...more } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...more });
  const page = await context.newPage();
  const said = [];
  page.on("request", (request) => own(request.url().split("#")[0]) || said.push(`request ${request.url().slice(0, 200)}`));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(`console ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error ${error.stack}`));
  page.on("dialog", (dialog) => {
    said.push(`dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  page.silent = () => assert.deepEqual(said, []);
  await page.goto(url);
  await drawn(page);
  return page;
}

// After what was changed is on the screen.
export const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

export async function shut(page) {
  page.silent();
  await page.context().close();
}
