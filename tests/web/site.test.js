// The documentation site in a real browser, opened from disk. SITE names the directory that mkdocs wrote.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch, open, shut } from "./browser.js";

const folder = process.env.SITE && resolve(process.env.SITE);
const options = { skip: folder ? false : "SITE is not set" };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const url = (name) => pathToFileURL(resolve(folder, name)).href;
const own = (address) => address.startsWith(`${pathToFileURL(folder).href}/`);
const PAGES = ["index.html", "howto.html", "networks/squeezenet1_1.html", "counters/thop.html", "reference/library.html"];

let browser;
before(async () => folder && (browser = await launch()));
after(() => browser?.close());

async function serious(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).slice(0, 3).join(" ")}`);
}

for (const name of PAGES) {
  for (const [width, colorScheme] of [[1280, "light"], [390, "dark"]]) {
    test(`${name} at ${width} pixels, ${colorScheme}: no request outside, no error, nothing serious`, options, async () => {
      const page = await open(browser, url(name), { own, colorScheme, viewport: { width, height: 800 } });
      assert.deepEqual(await serious(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `the page is ${wide} pixels wide`);
      const dark = await page.evaluate(() => document.body.getAttribute("data-md-color-scheme"));
      assert.equal(dark, colorScheme === "dark" ? "slate" : "default");
      await shut(page);
    });
  }
}

test("the first screen of the home page has the command, the table and the three promises", options, async () => {
  const page = await open(browser, url("index.html"), { own, viewport: { width: 1280, height: 800 } });
  const low = await page.$$eval(".home pre, .home picture img, .home li strong", (all) => all.map((one) => one.getBoundingClientRect().bottom));
  assert.equal(low.length, 5);
  for (const bottom of low) assert.ok(bottom < 800, `an end at ${bottom}`);
  await shut(page);
});

test("the search finds a page from disk", options, async () => {
  const page = await open(browser, url("index.html"), { own });
  await page.locator("input.md-search__input").fill("depthwise");
  const first = page.locator(".md-search-result__link").first();
  await first.waitFor({ timeout: 20_000 });
  assert.match(await first.getAttribute("href"), /\.html/);
  await shut(page);
});
