// Pictures of every view for the documentation: `PAGES=DIR node pictures.js ../../docs/images`.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { drawn, launch, open } from "./browser.js";

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
    await page.screenshot({ path: resolve(out, `page-${view}-${width}.png`), fullPage: width === 390, clip: width === 390 ? { x: 0, y: 0, width, height: 1400 } : undefined });
    await page.context().close();
  }
}
await browser.close();
