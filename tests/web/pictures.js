// Pictures of every view for the documentation: `PAGES=DIR node pictures.js ../../docs/images`, of the playground too
// where it is built.
import { existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { drawn, launch, open } from "./browser.js";
import { serve } from "./static.js";

const folder = resolve(process.env.PAGES ?? "pages");
const out = resolve(process.argv[2] ?? "pictures");
const SHOWN = { layers: "", blocks: "", graph: "&open=4.11", types: "", chart: "", memory: "", variants: "" };
const WIDTHS = [
  [1280, 860],
  [390, 800],
];

mkdirSync(out, { recursive: true });
const browser = await launch();
for (const [width, height] of WIDTHS) {
  for (const [view, more] of Object.entries(SHOWN)) {
    const address = `${pathToFileURL(resolve(folder, "mobilenet.html")).href}#v=${view}${more}`;
    const page = await open(browser, address, { viewport: { width, height } });
    await drawn(page);
    await page.screenshot({ path: resolve(out, `page-${view}-${width}.png`), fullPage: true, clip: { x: 0, y: 0, width, height: width === 390 ? 1400 : 1000 } });
    await page.context().close();
  }
}

const built = resolve(process.env.PLAYGROUND ?? "../../docs/playground/build");
const host = existsSync(built) ? await serve(built) : null;
if (host) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  const picture = async (name) => {
    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height: width === 390 ? 1400 : height });
      await page.evaluate(() => scrollTo(0, 0));
      await drawn(page);
      await page.screenshot({ path: resolve(out, `playground-${name}-${width}.png`) });
    }
    await page.setViewportSize({ width: 1280, height: 860 });
  };
  await page.goto(host.url);
  await page.waitForSelector("html[data-shown]", { timeout: 120_000 });
  await page.getByRole("tab", { name: "Blocks" }).click();
  await page.waitForFunction(() => !document.querySelector(".status").textContent);
  await picture("blocks");
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(
    "name: small\nvars: {alpha: {default: 1.0, help: width multiplier}, res: 64}\ninput: [res, res, 3]\nlayers:\n" +
      "  - {conv: 3x3, out: 32 * alpha, stride: 2, then: [batchnorm, relu]}\n  - {dwconv: 3x3, strid: 2}\n  - {conv: 1x1, out: 64 * alpha}\n  - avgpool: global\n  - linear: 10\n",
  );
  await page.waitForSelector("#problems .found");
  await picture("error");
  await host.stop();
}
await browser.close();
