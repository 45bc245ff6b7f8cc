// Pictures of the documentation site: `SITE=../../build/site node site_pictures.js ../../docs/images`.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launch, open } from "./browser.js";

const folder = resolve(process.env.SITE ?? "../../build/site");
const out = resolve(process.argv[2] ?? "pictures");
const SHOWN = [
  ["home", "index.html", 1280, 800, "light"],
  ["home", "index.html", 390, 844, "dark"],
  ["network", "networks/squeezenet1_1.html", 1280, 1240, "light"],
];

const browser = await launch();
for (const [name, path, width, height, colorScheme] of SHOWN) {
  const page = await open(browser, pathToFileURL(resolve(folder, path)).href, { own: () => true, viewport: { width, height }, colorScheme });
  await page.screenshot({ path: resolve(out, `site-${name}-${width}.png`) });
  await page.context().close();
}
await browser.close();
