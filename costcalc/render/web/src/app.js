// What is shown of a document: totals and sliders above, one view below, all of it in the address.
import { choice, h } from "./dom.js";
import { Network } from "./network.js";
import { fraction, full, ratio, short } from "./numbers.js";
import { State } from "./state.js";
import { tables } from "./tables.js";
import { blocks } from "./views/blocks.js";
import { chart } from "./views/chart.js";
import { graph } from "./views/graph.js";
import { layers } from "./views/layers.js";
import { memory } from "./views/memory.js";
import { types } from "./views/types.js";
import { variants } from "./views/variants.js";

const VIEWS = {
  layers: ["Layers", layers],
  blocks: ["Blocks", blocks],
  graph: ["Graph", graph],
  types: ["Types", types],
  chart: ["Settings", chart],
  memory: ["Memory", memory],
  variants: ["Variants", variants],
};
const THEMES = { "": "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

// The colours of the document, and the button that says which.
export function dress(theme, button) {
  document.documentElement.dataset.theme = theme || "system";
  button.textContent = THEMES[theme];
}

export const nextTheme = (theme) => ({ "": "dark", dark: "light", light: "" })[theme];
export const themeOf = (state) => (state.get("th") in THEMES ? state.get("th") : "");

export class App {
  constructor(data, root = document.getElementById("app"), state = new State({ v: "layers" })) {
    this.document = data;
    this.full = full;
    this.state = state;
    this.root = root;
    this.frame = 0;
  }

  // A change of what is shown; drawn once before the next picture of the screen.
  change(changes) {
    this.state.set(changes);
    this.later();
  }

  later() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  start() {
    this.fill();
    addEventListener("hashchange", () => {
      this.state.read();
      this.draw();
    });
    addEventListener("beforeprint", () => this.print());
    this.draw();
  }

  fill() {
    this.root.replaceChildren(this.header(), ...this.body());
  }

  header() {
    this.theme = h("button", {
      type: "button",
      class: "theme",
      onclick: () => this.change({ th: nextTheme(this.themeName()) }),
    });
    return h(
      "header",
      {},
      h("h1", {}, this.document.title),
      this.document.spec ? h("p", { class: "quiet path" }, [this.document.spec.path, ...this.document.given].join(", ")) : null,
      this.theme,
    );
  }

  themeName() {
    return themeOf(this.state);
  }

  draw() {
    dress(this.themeName(), this.theme);
    this.refresh();
  }
}

export class TablesApp extends App {
  body() {
    this.main = h("main", {});
    return [this.main];
  }

  refresh() {
    tables(this.main, this);
  }

  print() {}
}

export class NetworkApp extends App {
  constructor(...given) {
    super(...given);
    this.take(this.document);
  }

  // Show this document from now on.
  take(data) {
    this.document = data;
    this.network = new Network(data);
    this.first = this.network.at(this.network.start);
    this.views = Object.keys(VIEWS).filter((name) => this.has(name));
  }

  has(name) {
    const { document: data } = this;
    if (name === "variants") return data.variants.length > 0;
    if (name === "chart") return data.points.length > 1 || data.published.length > 1;
    return name !== "memory" || (this.first.rows.length > 0 && data.structures.every((one) => one.live));
  }

  get at() {
    const at = this.network.axes.map((axis) => {
      const found = axis.values.findIndex((value) => String(value) === this.state.get(`s.${axis.name}`));
      return found < 0 ? axis.start : found;
    });
    return this.network.number(at) < 0 ? this.network.start : at;
  }

  // The setting whose numbers are shown.
  get shown() {
    return this.at;
  }

  get metric() {
    return this.network.metric(this.state.get("m") || this.network.cost);
  }

  // The metric where amounts are added up: the largest of several has no shares.
  get additive() {
    return this.metric.fold === "sum" ? this.metric : this.network.metric(this.network.cost);
  }

  get least() {
    return this.point.complete ? "" : ">= ";
  }

  get view() {
    return this.views.includes(this.state.get("v")) ? this.state.get("v") : "layers";
  }

  move(at) {
    this.change(
      Object.fromEntries(
        this.network.axes.map((axis, index) => [`s.${axis.name}`, at[index] === axis.start ? "" : String(axis.values[at[index]])]),
      ),
    );
  }

  body() {
    this.sliders = this.network.axes.map((axis, index) => this.slider(axis, index));
    this.totals = h("dl", { class: "totals", "aria-live": "polite" });
    this.said = h("div", { class: "said" });
    this.tabs = this.views.map((name) =>
      h(
        "button",
        { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `view-${name}`, onclick: () => this.change({ v: name }) },
        VIEWS[name][0],
      ),
    );
    this.panels = this.views.map((name) => h("section", { role: "tabpanel", id: `view-${name}`, "aria-labelledby": `tab-${name}` }));
    this.measure = h("div", { class: "measure" });
    return [
      h(
        "main",
        {},
        this.sliders.length
          ? h(
              "section",
              { class: "sliders", "aria-label": "Settings" },
              this.sliders.map((one) => one.node),
              this.document.limit ? h("p", { class: "note" }, this.document.limit) : null,
            )
          : this.document.limit
            ? h("p", { class: "note" }, this.document.limit)
            : null,
        h("section", { "aria-label": "Totals" }, this.totals, this.said),
        h(
          "div",
          { class: "bar-of-tabs" },
          h("div", { role: "tablist", "aria-label": "Views", onkeydown: (event) => this.key(event) }, this.tabs),
          this.measure,
        ),
        this.panels,
      ),
      h("footer", { class: "stamp" }, (this.stamp = h("p", {}))),
    ];
  }

  slider(axis, index) {
    const output = h("output", {});
    const input = h("input", {
      type: "range",
      min: "0",
      max: String(axis.values.length - 1),
      step: "1",
      oninput: () => this.move(this.network.moved(this.at, index, Number(input.value))),
    });
    return {
      node: h("label", { class: "slider", title: axis.help || null }, h("span", {}, axis.name), input, output),
      input,
      output,
      axis,
    };
  }

  key(event) {
    const now = this.views.indexOf(this.view);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: this.views.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const at = (next + this.views.length) % this.views.length;
    this.change({ v: this.views[at] });
    this.tabs[at].focus();
  }

  refresh() {
    this.point = this.network.at(this.shown);
    this.drawSliders();
    this.drawTotals();
    this.views.forEach((name, index) => {
      const on = name === this.view;
      this.tabs[index].setAttribute("aria-selected", String(on));
      this.tabs[index].tabIndex = on ? 0 : -1;
      if (on) this.tabs[index].parentNode.scrollLeft = this.tabs[index].offsetLeft - 60;
      this.panels[index].hidden = !on;
    });
    this.drawView(this.view);
  }

  drawView(name) {
    const panel = this.panels[this.views.indexOf(name)];
    if (this.point.error && name !== "chart") panel.replaceChildren(h("p", { class: "note" }, "There is no network at this setting."));
    else VIEWS[name][1](panel, this);
  }

  drawSliders() {
    this.sliders.forEach(({ input, output, axis }, index) => {
      const at = this.at[index];
      input.value = String(at);
      input.setAttribute("aria-valuetext", String(axis.values[at]));
      output.textContent = String(axis.values[at]);
    });
  }

  drawTotals() {
    const { point, network, first } = this;
    const { before, after } = { before: network.document.stamp[0], after: network.document.stamp[1] };
    this.totals.replaceChildren(
      ...network.metrics.map((metric) => {
        const value = point.totals[metric.name];
        const moved =
          point.number !== first.number && !first.error && value !== undefined && fraction(value, first.totals[metric.name]) !== 1
            ? ratio(value, first.totals[metric.name])
            : "";
        const least = point.complete ? "" : ">= ";
        return h(
          "div",
          { class: metric.name === this.metric.name ? "total chosen" : "total", title: metric.what },
          h("dt", {}, metric.title),
          h(
            "dd",
            {},
            value === undefined
              ? "-"
              : [
                  h("b", {}, `${least}${short(value, metric.unit)}`),
                  h(
                    "span",
                    { class: "exact", "data-metric": metric.name },
                    `${least}${full(value)}${metric.unit ? ` ${metric.unit}` : ""}`,
                  ),
                  moved ? h("span", { class: "moved" }, `${moved} of the start`) : null,
                ],
          ),
        );
      }),
    );
    const lines = point.error
      ? [h("p", { class: "error", role: "alert" }, `No network here: ${point.error}`)]
      : (point.notes ?? []).map((line) => h("p", {}, line));
    this.said.replaceChildren(...lines);
    this.stamp.textContent = [before, point.setting, after].filter(Boolean).join("; ");
    const usable = network.metrics.filter((one) => one.fold !== "figure").map((one) => [one.name, one.title]);
    this.measure.replaceChildren(choice("Measure", usable, this.metric.name, (value) => this.change({ m: value })));
  }

  // On paper all views stand one below the other.
  print() {
    this.views.filter((name) => name !== this.view).forEach((name) => this.drawView(name));
  }
}
