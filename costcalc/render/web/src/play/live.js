// The views of a network whose engine answers: a slider may stand where no figures are yet.
import { NetworkApp } from "../app.js";
import { h } from "../dom.js";

const WHOLE = { chart: "all", variants: "variants" }; // what a view needs beside the setting that is shown

export class LiveApp extends NetworkApp {
  // `ask` is called with what is needed; its answer comes by `replace`.
  constructor(data, root, state, ask) {
    super(data, root, state);
    this.ask = ask;
    this.answered = data.points.at(-1).at;
  }

  has(name) {
    if (name === "variants") return true;
    if (name === "chart") return this.document.axes.length > 0;
    return super.has(name);
  }

  fill() {
    this.root.replaceChildren(...this.body());
  }

  start() {
    this.fill();
    this.draw();
  }

  draw() {
    this.refresh();
  }

  get at() {
    return this.network.axes.map((axis) => {
      const found = axis.values.findIndex((value) => String(value) === this.state.get(`s.${axis.name}`));
      return found < 0 ? axis.start : found;
    });
  }

  get shown() {
    return this.network.number(this.at) < 0 ? this.answered : this.at;
  }

  // What the engine is still to say of what is wanted; nothing where it has said all.
  get missing() {
    const part = WHOLE[this.view];
    const lacks = part === "all" ? !this.document.all : part && this.document[part] === null;
    return lacks || this.network.number(this.at) < 0 ? { all: part === "all", parts: this.parts } : null;
  }

  get parts() {
    return { chart: ["published"], variants: ["variants"] }[this.view] ?? [];
  }

  replace(data) {
    const kept = key(data) === key(this.document) && data.metrics.length === this.document.metrics.length;
    const views = this.views.join();
    this.take(data);
    this.answered = data.at ?? data.points.at(-1).at;
    if (!kept || this.views.join() !== views) this.refill();
    this.draw();
  }

  // New sliders or views: what has the focus keeps it where it is still there.
  refill() {
    const at = this.root.contains(document.activeElement) ? document.activeElement.id : "";
    this.fill();
    if (at) document.getElementById(at)?.focus();
  }

  refresh() {
    super.refresh();
    const missing = this.missing;
    this.root.setAttribute("aria-busy", String(missing !== null));
    if (missing) this.ask(missing);
  }

  drawView(name) {
    const part = WHOLE[name];
    const panel = this.panels[this.views.indexOf(name)];
    if (part === "variants" && !this.document.variants?.length) {
      const none = "This network cannot be made otherwise: it has no other convolutions, and is trained as it is deployed.";
      panel.replaceChildren(h("p", { class: "note" }, this.document.variants ? none : "Computing the variants."));
    } else if (part === "all" && !this.document.all) {
      panel.replaceChildren(h("p", { class: "note" }, "Computing all settings."));
    } else super.drawView(name);
  }
}

const key = (data) => JSON.stringify(data.axes.map((axis) => [axis.name, axis.values]));
