// The page in a real browser. PAGES names the directory that `python -m tests.web.pages` wrote.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { drawn, launch, open, shut } from "./browser.js";

const folder = resolve(process.env.PAGES ?? "pages");
const truth = JSON.parse(readFileSync(resolve(folder, "truth.json"), "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const url = (name, hash = "") => `${pathToFileURL(resolve(folder, `${name}.html`)).href}${hash ? `#${hash}` : ""}`;
const VIEWS = ["layers", "blocks", "graph", "types", "chart", "memory", "variants"];

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const totals = (page) => page.$$eval(".exact", (all) => Object.fromEntries(all.map((one) => [one.dataset.metric, one.textContent.replace(/[^0-9]/g, "")])));

async function moveTo(page, at) {
  for (const [index, value] of at.entries()) await slide(page, index, value);
}

async function slide(page, index, value) {
  const moved = await page.locator(".sliders input").nth(index).evaluate((input, wanted) => {
    if (input.value === wanted) return false;
    input.value = wanted;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }, String(value));
  if (moved) await drawn(page);
}

for (const [spec, settings] of Object.entries(truth.settings)) {
  test(`the totals of ${spec} are those of analyze at ${settings.length} settings`, async () => {
    const page = await open(browser, url(spec));
    for (const { at, setting, totals: expected } of settings) {
      await moveTo(page, at);
      assert.deepEqual(await totals(page), expected, JSON.stringify(setting));
    }
    await shut(page);
  });
}

test("where one variable moves at a time, the others return to their start", async () => {
  const page = await open(browser, url("single"));
  const start = await page.$$eval(".sliders input", (inputs) => inputs.map((input) => Number(input.value)));
  for (const { at, setting, totals: expected } of truth.single) {
    const index = at.findIndex((one, number) => one !== start[number]);
    await slide(page, Math.max(index, 0), at[Math.max(index, 0)]);
    assert.deepEqual(await totals(page), expected, JSON.stringify(setting));
  }
  await shut(page);
});

test("there are five networks, with 20 settings each", () => {
  assert.equal(Object.keys(truth.settings).length, 5);
  for (const settings of Object.values(truth.settings)) assert.equal(settings.length, 20);
});

for (const [spec, expected] of Object.entries(truth.edges)) {
  test(`the graph of ${spec} has the edges of its layers`, async () => {
    const page = await open(browser, url(spec, "v=graph"));
    await page.getByRole("button", { name: "Open all blocks" }).click();
    await drawn(page);
    const found = await page.evaluate(() => {
      const names = Object.fromEntries([...document.querySelectorAll(".node")].map((one) => [one.dataset.key, one.dataset.name]));
      return [...document.querySelectorAll(".edge")].map((one) => [names[one.dataset.from] ?? one.dataset.from, names[one.dataset.to]]);
    });
    assert.deepEqual(found.map(String).sort(), expected.map(String).sort());
    await shut(page);
  });
}

test("blocks fold and unfold, columns sort, names are found", async () => {
  const page = await open(browser, url("mobilenet"));
  const names = () => page.$$eval(".layers tbody tr", (rows) => rows.map((row) => row.dataset.name));
  const open_ = await names();
  await page.getByRole("button", { name: "Fold all", exact: true }).click();
  await drawn(page);
  assert.equal((await names()).length, 17);
  await page.locator(".twist").first().click();
  await drawn(page);
  assert.deepEqual((await names()).slice(0, 4), ["conv", "separable_1", "separable_1/dwconv", "separable_1/conv"]);
  await page.getByRole("button", { name: "Unfold all" }).click();
  await page.getByRole("button", { name: "params" }).click();
  await drawn(page);
  assert.equal((await names())[0], "separable_13");
  assert.equal(await page.locator("th[aria-sort=descending]").innerText(), "params▼");
  await page.getByRole("button", { name: "params" }).click();
  await page.getByRole("button", { name: "params" }).click();
  await drawn(page);
  assert.deepEqual(await names(), open_);
  await page.getByRole("searchbox").fill("separable_7/");
  await drawn(page);
  assert.deepEqual(await names(), ["separable_7", "separable_7/dwconv", "separable_7/conv"]);
  await page.getByLabel("Zero-cost layers").check();
  await drawn(page);
  assert.ok((await names()).includes("separable_7/conv/batchnorm"));
  await shut(page);
});

test("the icicle is as wide as shares, and one can go into it and out", async () => {
  const page = await open(browser, url("mobilenet", "v=blocks&m=params"));
  const cells = await page.$$eval(".cell", (all) => all.map((one) => [one.dataset.value, one.style.width]));
  const whole = Number(cells[0][0]);
  assert.equal(whole, 4209088);
  for (const [value, width] of cells) assert.ok(Math.abs(parseFloat(width) - (100 * Number(value)) / whole) < 0.01);
  await page.locator(".cell", { hasText: "separable_13" }).first().click();
  await drawn(page);
  assert.match(await page.locator(".trail").innerText(), /separable_13[\s\S]*1\.06 M params, 25\.13 %/);
  await page.locator(".trail button").first().click();
  await drawn(page);
  assert.equal((await page.$$(".cell")).length, cells.length);
  await shut(page);
});

test("keys move tabs, sliders, blocks and the graph", async () => {
  const page = await open(browser, url("mobilenet"));
  await page.getByRole("tab", { name: "Layers" }).focus();
  await page.keyboard.press("ArrowRight");
  await drawn(page);
  assert.equal(await page.locator("[aria-selected=true]").innerText(), "Blocks");
  await page.locator(".cell[tabindex='0']").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  const label = await page.evaluate(() => document.activeElement.title);
  assert.match(label, /^separable_1: /);
  await page.keyboard.press("Enter");
  await drawn(page);
  assert.match(await page.locator(".trail b").innerText(), /separable_1/);
  await page.locator(".sliders input").first().focus();
  await page.keyboard.press("ArrowLeft");
  await drawn(page);
  assert.equal((await totals(page)).mult_adds, "325400448"); // 0.75 MobileNet-224
  await page.getByRole("tab", { name: "Graph" }).click();
  await drawn(page);
  const count = (await page.$$(".node")).length;
  await page.locator(".node.folds").first().focus();
  await page.keyboard.press("Enter");
  await drawn(page);
  assert.equal((await page.$$(".node")).length, count + 1);
  assert.equal(await page.evaluate(() => document.activeElement.closest("svg") !== null || document.activeElement === document.body), true);
  await shut(page);
});

test("the address shows another what its sender saw", async () => {
  const page = await open(browser, url("mobilenet", "v=graph"));
  await moveTo(page, [1, 2, 0, 0]);
  await page.locator(".node.folds").nth(2).click();
  await drawn(page);
  await page.getByLabel("Measure").selectOption("params");
  await page.getByRole("button", { name: /Theme/ }).click();
  await drawn(page);
  const [address, text] = [page.url(), await page.locator("body").innerText()];
  const other = await open(browser, address);
  assert.equal(await other.locator("body").innerText(), text);
  assert.equal(await other.evaluate(() => document.documentElement.dataset.theme), "dark");
  await other.evaluate(() => (location.hash = "v=types"));
  await drawn(other);
  assert.equal(await other.locator("[aria-selected=true]").innerText(), "Types");
  await shut(other);
  await shut(page);
});

test("an address that makes no sense shows the start", async () => {
  for (const hash of ["v=nosuch&s.alpha=9&m=x&but=a.b&in=99999&step=-4&zoom=0&th=<img>", "v=graph&open=1.2.3.4.5.6&node=zzz", "%E0%A4%A&v=chart&x=q&y=__proto__&log=zz", "v=memory&step=1e9"]) {
    const page = await open(browser, url("mobilenet", hash));
    assert.equal((await totals(page)).mult_adds, "568740352");
    await shut(page);
  }
});

test("points of the chart are read and chosen by keys", async () => {
  const page = await open(browser, url("mobilenet", "v=chart&y=params"));
  await page.getByRole("region", { name: "Chart" }).focus();
  await page.keyboard.press("Home");
  await drawn(page);
  assert.match(await page.locator("p.told").innerText(), /alpha=0\.25[\s\S]* mult-adds, [\d,]+ params/);
  const first = await page.locator("p.told").innerText();
  await page.keyboard.press("ArrowRight");
  await drawn(page);
  assert.notEqual(await page.locator("p.told").innerText(), first);
  await page.keyboard.press("Home");
  await drawn(page);
  await page.keyboard.press("Enter");
  await drawn(page);
  const [cost, params] = first.match(/([\d,]+) mult-adds, ([\d,]+) params/).slice(1).map((one) => one.replaceAll(",", ""));
  assert.deepEqual([(await totals(page)).mult_adds, (await totals(page)).params], [cost, params]);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), "plot");
  await shut(page);
});

test("points of the chart move the sliders", async () => {
  const page = await open(browser, url("mobilenet", "v=chart&y=params"));
  await page.locator(".point").nth(20).dispatchEvent("click");
  await drawn(page);
  assert.notEqual((await totals(page)).mult_adds, "568740352");
  assert.equal((await page.$$(".now")).length > 0, true);
  assert.ok((await page.$$("path.published")).length > 5);
  await shut(page);
});

test("the tensors of every step add up to what lives", async () => {
  const page = await open(browser, url("mobilenet", "v=memory"));
  assert.match(await page.locator("#view-memory").innerText(), /Peak 4\.59 MiB \(4,816,896 B\)/);
  const steps = Number(await page.locator(".step input").getAttribute("max"));
  for (let step = 0; step <= steps; step += 7) {
    await page.locator(".step input").evaluate((input, value) => {
      input.value = value;
      input.dispatchEvent(new Event("input"));
    }, String(step));
    await drawn(page);
    const numbers = (await page.$$eval("#view-memory td.number", (all) => all.map((one) => Number(one.textContent.replaceAll(",", ""))))) ?? [];
    assert.equal(numbers.slice(0, -1).reduce((a, b) => a + b, 0), numbers.at(-1));
  }
  await shut(page);
});

test("variants show the standard network and the deployed one", async () => {
  const page = await open(browser, url("mobilenet", "v=variants"));
  assert.match(await page.locator("#view-variants").innerText(), /standard convolutions[\s\S]*4,867,293,184 8\.56x/);
  await shut(page);
  const other = await open(browser, url("repvgg_a0", "v=variants"));
  assert.match(await other.locator("#view-variants").innerText(), /As it is trained and as it is deployed[\s\S]*train[\s\S]*deploy/);
  await shut(other);
});

test("paper has every view", async () => {
  const page = await open(browser, url("mobilenet"));
  const pdf = await page.pdf({ format: "A4" });
  assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  for (const view of VIEWS) {
    const panel = page.locator(`#view-${view}`);
    assert.equal(await panel.isVisible(), true, view);
    assert.ok((await panel.innerText()).length > 20, view);
  }
  await shut(page);
});

test("axe finds nothing serious, light and dark, in any view", async () => {
  for (const scheme of ["light", "dark"]) {
    const page = await open(browser, url("mobilenet"), { colorScheme: scheme });
    await page.evaluate(axe);
    for (const view of VIEWS) {
      await page.evaluate((hash) => (location.hash = hash), `v=${view}`);
      await drawn(page);
      await serious(page, `${view}, ${scheme}`);
    }
    await shut(page);
    for (const name of ["compare", "diff", "check"]) {
      const other = await open(browser, url(name), { colorScheme: scheme });
      await other.evaluate(axe);
      await serious(other, `${name}, ${scheme}`);
      await shut(other);
    }
  }
});

async function serious(page, where) {
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${where}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(found, []);
}

test("without colour and at 390 pixels nothing is lost", async () => {
  const page = await open(browser, url("mobilenet"), { viewport: { width: 390, height: 800 }, forcedColors: "active" });
  for (const view of VIEWS) {
    await page.evaluate((hash) => (location.hash = hash), `v=${view}`);
    await drawn(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `${view}: ${wide} pixels`);
  }
  assert.equal((await totals(page)).params, "4209088");
  await shut(page);
});

test("on a telephone every digit of a large network is on the screen, and its buttons stand in one line", async () => {
  const page = await open(browser, url("resnet-152"), { viewport: { width: 390, height: 800 } });
  const [shown, whole] = await page.locator(".scroll").evaluate((one) => [one.clientWidth, one.scrollWidth]);
  assert.ok(whole <= shown, `the table is ${whole} pixels wide, of which ${shown} are shown`);
  await page.evaluate(() => (location.hash = "v=graph"));
  await drawn(page);
  const tops = await page.$$eval("#view-graph .tools button", (all) => all.map((one) => one.getBoundingClientRect().top));
  assert.equal(new Set(tops).size, 1, String(tops));
  await shut(page);
});

test("the names of repeated blocks end in their numbers, however narrow", async () => {
  const page = await open(browser, url("mobilenet", "v=blocks"));
  const cut = await page.$$eval(".label", (all) =>
    all.filter((one) => one.lastChild.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right).map((one) => one.textContent),
  );
  assert.deepEqual(cut, []);
  const numbers = await page.$$eval(".cell[data-level='1'] .label", (all) => all.map((one) => one.lastChild.textContent));
  assert.deepEqual(numbers, [...Array(13).keys()].map((one) => `_${one + 1}`));
  await shut(page);
});

test("a difference and a check are called by name; red is more and what fails, green is less and what passes", async () => {
  const colours = (page) =>
    page.$$eval(".over, .fine", (all) => all.map((one) => [one.classList.contains("over"), one.textContent, getComputedStyle(one).color]));
  const diff = await open(browser, url("diff"));
  assert.equal(await diff.locator("h1").innerText(), "mobilenet to mobilenet_v2");
  const changes = await colours(diff);
  assert.ok(changes.length > 50);
  for (const [over, text] of changes) assert.equal(over, text.startsWith("+"), text);
  const lines = await diff.$$eval(".long", (all) => all.map((one) => one.getBoundingClientRect().height));
  assert.ok(Math.max(...lines) < 80, `a text is ${Math.max(...lines)} pixels high`);
  await shut(diff);
  const check = await open(browser, url("check"));
  const states = Object.fromEntries((await colours(check)).map(([over, text, colour]) => [text, [over, colour]]));
  assert.deepEqual([states.FAIL[0], states.ok[0]], [true, false]);
  assert.notEqual(states.FAIL[1], states.ok[1]);
  await shut(check);
});

test("what is hostile is text", async () => {
  for (const view of VIEWS) {
    const page = await open(browser, url("hostile", `v=${view}&all=1`));
    assert.equal(await page.locator("h1").innerText(), "</script><script>alert(1)</script>");
    assert.equal((await page.$$("img")).length, 0);
    assert.equal((await page.$$("script")).length, 2);
    await shut(page);
  }
});

test("another command's table sorts by its numbers", async () => {
  const page = await open(browser, url("compare"));
  await page.getByRole("button", { name: "params B", exact: true }).first().click();
  await drawn(page);
  assert.equal(await page.locator("tbody tr").first().locator("td").first().innerText(), "separable_13");
  await shut(page);
});

test("the page of a sweep has published points and the front", async () => {
  const page = await open(browser, url("sweep"));
  const titles = (await page.locator(".published title").allTextContents()).join("\n");
  for (const top1 of ["70.6", "68.4", "63.7", "50.6", "69.1", "67.2", "64.4"]) assert.ok(titles.includes(`${top1} published top1`), top1); // Tables 6 and 7
  assert.match(await page.locator(".fronts summary").innerText(), /The front: \d+ of \d+ points/);
  assert.ok((await page.locator("path.front").getAttribute("d")).includes("L"));
  assert.match(await page.locator(".published title").first().textContent(), /top1.*MobileNets/);
  await shut(page);
});

test("a notebook shows the page in a frame that reaches nothing", async () => {
  const page = await open(browser, url("notebook"), { own: (address) => address.startsWith("file:") || address.startsWith("about:") });
  await page.locator("summary").click();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("tab", { name: "Graph" }).click();
  await frame.locator(".node").first().waitFor();
  assert.equal(await frame.locator(".exact[data-metric=mult_adds]").innerText(), "568,740,352");
  await shut(page);
});

for (const name of truth.large) {
  test(`${name} opens within a second and stays smooth`, async () => {
    const opened = [];
    let page;
    for (let turn = 0; turn < 3; turn++) {
      if (page) await shut(page);
      page = await open(browser, url(name));
      opened.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
    }
    assert.ok(Math.min(...opened) < 1000, `${opened.map(Math.round)} ms`);
    for (const view of VIEWS) {
      if (!(await page.$(`#tab-${view}`))) continue;
      const took = [];
      for (let turn = 0; turn < 3; turn++) {
        await page.locator(`#tab-${view === "layers" ? "types" : "layers"}`).click();
        await drawn(page);
        took.push(await page.evaluate((tab) => {
          const begun = performance.now();
          document.getElementById(tab).click();
          return new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))));
        }, `tab-${view}`));
      }
      assert.ok(Math.min(...took) < 400, `${view}: ${took.map(Math.round)} ms`);
    }
    await shut(page);
  });
}
