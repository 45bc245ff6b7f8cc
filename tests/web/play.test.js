// The playground in a real browser: SITE names the directory that `npm run build` in docs/playground wrote, PYTHON a Python with costcalc.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { launch, open, shut } from "./browser.js";
import { serve } from "./static.js";

const site = resolve(process.env.PLAYGROUND ?? "../../docs/playground/build");
const python = process.env.PYTHON ?? "python3";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SMALL = "vars: {n: 4}\ninput: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: n}\n";
const folder = mkdtempSync(join(tmpdir(), "costcalc-"));
const START = 90_000; // milliseconds, on a busy machine

let browser;
let host;
before(async () => ([browser, host] = await Promise.all([launch(), serve(site)])));
after(() => Promise.all([browser.close(), host.stop()]));

const own = (address) => address.startsWith(host.url) || address.startsWith("blob:") || address.startsWith("data:");
const costcalc = (...args) => execFileSync(python, ["-m", "costcalc", ...args], { cwd: folder, encoding: "utf8" });
const exact = (page) => page.$$eval(".exact", (all) => Object.fromEntries(all.map((one) => [one.dataset.metric, Number(one.textContent.replace(/[^0-9]/g, ""))])));
const shown = (page, params) =>
  page.waitForFunction(
    (wanted) => document.querySelector('.exact[data-metric="params"]')?.textContent.replace(/[^0-9]/g, "") === wanted,
    String(params),
    { timeout: START },
  );

async function ready(page) {
  await page.waitForSelector("html[data-shown]", { timeout: START });
}

// Another text in the editor, as if it were pasted.
async function write(page, text) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

// One page with an engine that runs, for all tests that do not need one of their own.
let page;
let link;
const times = {};

// What the sender of the link saw.
async function sees(page) {
  assert.equal((await page.locator(".cm-content").innerText()).trim(), SMALL.trim());
  assert.equal(await page.getByRole("tab", { name: "Blocks" }).getAttribute("aria-selected"), "true");
  assert.equal(await page.locator(".slider output").innerText(), "1");
}

test("it opens, shows a network at once, and computes it when the engine runs", async () => {
  const start = Date.now();
  page = await open(browser, host.url, { own });
  await page.waitForSelector(".exact");
  times["first network shown, computed when the site was built"] = Date.now() - start;
  await ready(page);
  times["first answer of the engine"] = Date.now() - start;
  const { totals } = JSON.parse(costcalc("analyze", "mobilenet", "--format", "json"));
  const found = await exact(page);
  for (const [name, total] of Object.entries(totals)) assert.equal(found[name], total, name);
});

test("a key changes the totals", async () => {
  await write(page, SMALL);
  await shown(page, 27 * 4);
  writeFileSync(join(folder, "net.yaml"), SMALL.replace("n: 4", "n: 41"));
  const { totals } = JSON.parse(costcalc("analyze", "net.yaml", "--format", "json"));
  await page.locator(".cm-line").first().click();
  await page.keyboard.press("Home");
  for (let at = 0; at < "vars: {n: 4".length; at++) await page.keyboard.press("ArrowRight");
  const start = Date.now();
  await page.keyboard.type("1");
  await shown(page, totals.params);
  times["a key to new totals"] = Date.now() - start;
  assert.equal((await exact(page)).mult_adds, totals.mult_adds);
});

test("sliders of any spec move, by keys too", async () => {
  await write(page, SMALL);
  await shown(page, 27 * 4);
  const slider = page.locator(".sliders input");
  const start = Date.now();
  await slider.focus();
  await page.keyboard.press("End");
  await shown(page, 27 * 8);
  times["a slider to new totals"] = Date.now() - start;
  assert.match(page.url(), /s\.n=8/);
});

test("errors stand at their line", async () => {
  await write(page, `${SMALL}  - {conv: 3x3, out: 4, strid: 2}\n`);
  await page.waitForSelector("#problems .found");
  assert.match(await page.locator("#problems").innerText(), /line 5: unknown option `strid` \(a similar name exists: `stride`\)/);
  assert.equal(await page.locator(".cm-lintRange-error").innerText(), "strid");
  assert.match(await page.locator(".seen").innerText(), /last spec that could be read/);
  await page.locator("#problems button").click();
  const cursor = await page.evaluate(() => {
    const root = document.getElementById("editor").shadowRoot;
    return root.activeElement?.classList.contains("cm-content");
  });
  assert.ok(cursor);
  await write(page, SMALL);
  await page.waitForFunction(() => !document.querySelector("#problems").textContent);
});

test("the schema completes keys, options and words", async () => {
  await write(page, "input: [8, 8, 3]\nlayers:\n  - {con");
  await page.waitForSelector(".cm-tooltip-autocomplete");
  assert.match(await page.locator(".cm-tooltip-autocomplete").innerText(), /conv\b/);
  await page.keyboard.press("Escape");
  await write(page, "input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 4, stri");
  await page.waitForSelector(".cm-tooltip-autocomplete");
  await page.waitForTimeout(150); // the list takes no key before
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".cm-content").innerText(), /stride: /);
  await write(page, "input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 4, padding: s");
  await page.waitForSelector(".cm-tooltip-autocomplete");
  assert.match(await page.locator(".cm-tooltip-autocomplete").innerText(), /same/);
  await page.keyboard.press("Escape");
});

test("every view of a shipped network shows itself", async () => {
  await page.locator("#zoo").selectOption("resnet18");
  await shown(page, JSON.parse(costcalc("analyze", "resnet18", "--format", "json")).totals.params);
  const seen = { Layers: ".layers tbody tr", Blocks: ".cell", Graph: ".node", Types: "tbody tr", Settings: ".point", Memory: "svg.memory rect", Variants: ".said, table, h3" };
  for (const [name, mark] of Object.entries(seen)) {
    await page.getByRole("tab", { name, exact: true }).click();
    await page.waitForSelector(`section[role=tabpanel]:not([hidden]) :is(${mark})`, { state: "attached" });
  }
  await page.getByRole("tab", { name: "Layers" }).click();
  assert.match(page.url(), /zoo=resnet18/);
});

test("files of models never leave the browser", async () => {
  costcalc("export", "squeezenet1_0", "-o", "net.onnx");
  const { totals } = JSON.parse(costcalc("analyze", "net.onnx", "--format", "json"));
  const before = await page.evaluate(() => performance.getEntriesByType("resource").length);
  await page.locator("#picker").setInputFiles(join(folder, "net.onnx"));
  await shown(page, totals.params);
  assert.equal((await exact(page)).mult_adds, totals.mult_adds);
  assert.equal(await page.evaluate(() => performance.getEntriesByType("resource").length), before);
  writeFileSync(join(folder, "unet.tflite"), gunzipSync(readFileSync("../data/tflite/unet.float32.tflite.gz")));
  await page.locator("#picker").setInputFiles(join(folder, "unet.tflite"));
  await shown(page, JSON.parse(costcalc("analyze", "unet.tflite", "--format", "json")).totals.params);
  const config = { class_name: "Sequential", config: { layers: [
    { class_name: "InputLayer", config: { name: "i", batch_shape: [null, 8] } },
    { class_name: "Dense", config: { name: "d", units: 5, use_bias: true, activation: "linear" } },
  ] } };
  writeFileSync(join(folder, "dense.json"), JSON.stringify(config));
  await page.locator("#picker").setInputFiles(join(folder, "dense.json"));
  await shown(page, JSON.parse(costcalc("analyze", "dense.json", "--format", "json")).totals.params);
  writeFileSync(join(folder, "bad.onnx"), "no model");
  await page.locator("#picker").setInputFiles(join(folder, "bad.onnx"));
  await page.waitForSelector("#problems .found");
  assert.match(await page.locator("#problems").innerText(), /bad\.onnx/);
});

test("a link shows what its sender saw", async () => {
  await page.locator("#zoo").selectOption("mobilenet");
  await shown(page, 4_209_088);
  await write(page, SMALL);
  await shown(page, 27 * 4);
  await page.locator(".sliders input").focus();
  await page.keyboard.press("Home");
  await shown(page, 27);
  await page.getByRole("tab", { name: "Blocks" }).click();
  await page.waitForFunction(() => location.hash.includes("v=blocks") && location.hash.includes("z="));
  link = page.url();
  await page.locator("#zoo").selectOption("mobilenet");
  await shown(page, 4_209_088);
  await page.goto(link); // the same page, at another address
  await shown(page, 27);
  await sees(page);
  await page.goto(`${host.url}#z=AAAA`);
  await page.waitForSelector("#problems .found");
  assert.match(await page.locator("#problems").innerText(), /damaged/);
});

test("nothing of a spec is markup or code", async () => {
  const hostile = 'name: "<img src=x onerror=alert(1)>"\nvars: {n: {default: 4, help: "</script><script>alert(2)</script>"}}\n' +
    'input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: n, as: "<svg onload=alert(3)>"}\n  - {opaque: "javascript:alert(4)"}\n';
  await write(page, hostile);
  await page.waitForFunction(() => document.body.textContent.includes("<svg onload=alert(3)>"));
  for (const name of ["Layers", "Blocks", "Graph", "Types", "Memory"]) await page.getByRole("tab", { name, exact: true }).click();
  assert.equal(await page.locator("#views img, #views script, #problems img").count(), 0);
  await write(page, '"<img src=x onerror=alert(5)>": 1\n');
  await page.waitForSelector("#problems .found");
  assert.equal(await page.locator("#problems img").count(), 0);
  page.silent();
});

test("a network that takes too long is given up, and the page stays alive", async () => {
  await write(page, "input: [8, 8, 3]\nlayers: [{repeat: 55000, layers: [{conv: 3x3, out: i + 1}]}]\n");
  let ticks = 0;
  const end = Date.now() + START;
  while (!/more than|stopped|too large/.test(await page.locator("#problems").innerText())) {
    ticks += await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => done(1))));
    assert.ok(Date.now() < end, "it did not end");
    await page.waitForTimeout(100);
  }
  assert.ok(ticks > 3);
  await write(page, SMALL);
  await page.waitForFunction(() => !document.querySelector("#problems .found"), null, { timeout: START });
  await shown(page, 27 * 4);
});

test("a worker without an answer is ended, and another one answers", async () => {
  await page.evaluate(() => {
    const [wait, send] = [setTimeout, Worker.prototype.postMessage];
    globalThis.setTimeout = (act, time) => wait(act, time === 20_000 ? 500 : time);
    Worker.prototype.postMessage = function (message) {
      if (!JSON.stringify(message.request).includes("stuck")) send.call(this, message);
    };
    globalThis.mended = () => Object.assign(globalThis, { setTimeout: wait });
  });
  await write(page, `# stuck\n${SMALL}`);
  await page.locator("#problems .found", { hasText: "stopped after 20 seconds" }).waitFor({ timeout: START });
  await page.evaluate(() => globalThis.mended());
  await write(page, SMALL);
  await shown(page, 27 * 4);
});

test("it works without a network once it was loaded", async () => {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!(await caches.keys()).length) await new Promise((done) => setTimeout(done, 100));
  });
  await page.waitForFunction(() => navigator.serviceWorker.controller, null, { timeout: START });
  await host.stop();
  await page.goto("about:blank");
  const start = Date.now();
  await page.goto(link); // read afresh, without a network
  await shown(page, 27);
  times["first answer of a later visit, offline"] = Date.now() - start;
  await sees(page);
  await write(page, SMALL.replace("n: 4", "n: 7"));
  await page.locator("#zoo").selectOption("mobilenet");
  await shown(page, 4_209_088);
  host = await serve(site, Number(new URL(host.url).port));
});

test("keys alone reach everything, and axe finds nothing serious", async () => {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab"); // leaves the editor
  assert.ok(await page.evaluate(() => document.activeElement !== document.getElementById("editor")));
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact));
    assert.deepEqual(serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 90)).join(" | ")}`), []);
  }
});

test("nothing left the page, and no error was said", async () => {
  await shut(page);
});

test("costcalc serve gives the same page", async () => {
  writeFileSync(join(folder, "own.yaml"), SMALL);
  const server = spawn(python, ["-m", "costcalc", "serve", "own.yaml", "--no-browser"], { cwd: folder });
  try {
    const url = await new Promise((done) => server.stdout.on("data", (text) => done(/http:\S+/.exec(String(text))[0])));
    const start = Date.now();
    const local = await open(browser, url, { own: (address) => address.startsWith(url) || address.startsWith("data:") });
    await ready(local);
    times["costcalc serve: first answer"] = Date.now() - start;
    assert.equal((await exact(local)).params, 27 * 4);
    await write(local, SMALL.replace("n: 4", "n: 5"));
    await shown(local, 27 * 5);
    await local.locator("#picker").setInputFiles(join(folder, "net.onnx"));
    await shown(local, JSON.parse(costcalc("analyze", "net.onnx", "--format", "json")).totals.params);
    await local.locator("#zoo").selectOption("vgg16");
    await local.getByRole("tab", { name: "Settings" }).click();
    await local.waitForSelector(".point", { state: "attached" });
    await shut(local);
  } finally {
    server.kill("SIGINT");
  }
});

after(() => {
  for (const [what, time] of Object.entries(times)) console.log(`${what}: ${time} ms`);
});
