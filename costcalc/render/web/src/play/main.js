// The playground: a spec in an editor, its views beside it, an engine that answers. What is shown stands in the address.
import { dress, nextTheme, themeOf } from "../app.js";
import { button, h } from "../dom.js";
import { State } from "../state.js";
import { Editor, sentence } from "./editor.js";
import { LocalEngine, WorkerEngine } from "./engines.js";
import { LiveApp } from "./live.js";
import { packed, unpacked } from "./packed.js";

const PAUSE = 120; // milliseconds without a key before the engine is asked
const FILES = /\.(onnx|tflite|keras|json)$/i;
const SPECS = /\.(ya?ml|txt)$/i;
const MOST_TEXT = 16_000_000;

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

class Playground {
  constructor() {
    this.state = new State({ v: "layers" }, 1_500_000);
    this.given = JSON.parse(document.getElementById("data").textContent);
    this.token = meta("costcalc-token");
    const said = (text) => this.say(text);
    this.engine = this.token ? new LocalEngine(said, this.token) : new WorkerEngine(said);
    this.source = null; // {name, text} or {file, name}
    this.app = null;
    this.revision = 0; // of the source
    this.marks = {};
  }

  async begin() {
    this.build();
    this.dress();
    performance.mark("costcalc-page");
    addEventListener("hashchange", () => this.fromAddress());
    this.drops();
    this.offer(this.given.start);
    this.fromAddress();
    if (!this.token && navigator.serviceWorker && location.protocol !== "file:")
      navigator.serviceWorker.register("service.js").catch(() => this.say("This browser keeps no copy: the page works online only."));
  }

  // ---------------------------------------------------------------------------------------------- what stands where

  build() {
    this.status = h("p", { class: "status", role: "status" });
    this.zoo = h("select", { id: "zoo", onchange: (event) => event.target.value && this.openConfig(event.target.value) });
    this.zoo.append(h("option", { value: "" }, "a network"));
    this.counts = h("select", { id: "convention", onchange: (event) => this.convention(event.target.value) });
    this.counts.append(h("option", { value: "paper" }, "paper"));
    this.picker = h("input", {
      type: "file",
      id: "picker",
      accept: ".yaml,.yml,.onnx,.tflite,.keras,.json",
      class: "hidden",
      "aria-label": "A file of a network",
      tabindex: "-1",
      onchange: (event) => event.target.files[0] && this.openFile(event.target.files[0]),
    });
    this.theme = button("", () => this.change({ th: nextTheme(themeOf(this.state)) }), { class: "theme" });
    this.share = button("Copy link", () => this.copyLink(), { id: "share" });
    this.save = button("Save page", () => this.savePage(), { id: "save" });
    this.problems = h("div", { id: "problems", role: "alert" });
    this.named = h("p", { class: "quiet name", id: "name" });
    this.host = h("div", { id: "editor" });
    this.views = h("div", { id: "views" });
    this.stale = h("p", { class: "said-stale", hidden: true }, "The views show the last spec that could be read.");
    document.getElementById("app").replaceChildren(
      h(
        "header",
        { class: "play" },
        h("h1", {}, "costcalc ", h("span", { class: "quiet" }, "playground")),
        h("label", { class: "choice" }, h("span", {}, "Open"), this.zoo),
        button("Open file", () => this.picker.click(), { id: "open" }),
        this.picker,
        h("label", { class: "choice" }, h("span", {}, "Convention"), this.counts),
        this.share,
        this.save,
        this.theme,
      ),
      h(
        "div",
        { class: "desk" },
        h("section", { class: "spec", "aria-label": "Spec" }, this.named, this.host, this.problems, this.status),
        h("div", { class: "seen" }, this.stale, this.views),
      ),
    );
    this.editor = new Editor(
      this.host,
      (text) => this.edited(text),
      () => this.schema(),
    );
  }

  dress() {
    dress(themeOf(this.state), this.theme);
  }

  change(changes) {
    this.state.set(changes);
    this.dress();
    this.app?.later();
  }

  say(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }

  offer({ configs, conventions, version }) {
    const chosen = this.state.get("zoo") || "";
    this.zoo.append(...configs.map((name) => h("option", { value: name, selected: name === chosen }, name)));
    const counted = this.state.get("c") || "paper";
    this.counts.replaceChildren(
      ...conventions.map(([name, title]) => h("option", { value: name, title, selected: name === counted }, name)),
    );
    this.version = version;
  }

  schema() {
    this.loading ??= fetch("schema.json", { headers: this.token ? { "X-Costcalc-Token": this.token } : {} })
      .then((response) => (response.ok ? response.json() : null))
      .catch(() => null);
    return this.loading;
  }

  // ---------------------------------------------------------------------------------------------- what is shown

  // Show what the address says: a packed text, or a shipped network.
  async fromAddress() {
    this.state.read();
    this.dress();
    const letters = this.state.get("z");
    const name = this.state.get("n") || "network.yaml";
    if (letters && letters === this.written) return this.app?.later();
    if (letters) {
      const text = await unpacked(letters);
      if (text === null) return this.failed([{ message: "the spec in this address is damaged", help: "copy the whole link", notes: [] }]);
      this.written = letters;
      return this.show({ name, text });
    }
    const zoo = this.state.get("zoo");
    if (zoo) return this.source?.zoo === zoo ? this.look() : this.openConfig(zoo, false);
    if (this.source?.first) return this.look();
    this.show({ ...this.given.first, first: true });
  }

  async openConfig(name, forget = true) {
    const found = await this.engine.ask({ ask: "config", name });
    if (!found) return;
    if (found.problems) return this.failed(found.problems);
    if (forget) this.forget({ zoo: name });
    this.show({ ...found, zoo: name });
  }

  async openFile(file) {
    this.picker.value = "";
    if (FILES.test(file.name)) {
      this.say(`Reading ${file.name}.`);
      const held = await this.engine.open(file);
      this.say("");
      if (held.problems) return this.failed(held.problems);
      this.forget({});
      this.show({ file: held.file, name: file.name });
    } else if (SPECS.test(file.name) && file.size <= MOST_TEXT) {
      const text = await file.text();
      this.forget({});
      this.show({ name: file.name, text });
      this.write();
    } else
      this.failed([{ message: `${file.name} is no network`, help: "open a spec, .onnx, .tflite, .keras or the .json of a model", notes: [] }]);
  }

  // Another network: sliders, folds and sort orders of the one before mean nothing here.
  forget(changes) {
    const kept = ["th", "c", "v", "m"];
    const none = Object.fromEntries(Object.keys(this.state.values).map((name) => [name, kept.includes(name) ? this.state.get(name) : ""]));
    this.state.set({ ...none, ...changes });
    this.written = "";
  }

  show(source) {
    this.source = source;
    this.revision++;
    this.named.textContent = source.file ? `${source.name}: it stays in this browser${this.token ? " and on this machine" : ""}` : source.name;
    this.host.hidden = Boolean(source.file);
    this.share.disabled = Boolean(source.file);
    this.zoo.value = source.zoo ?? source.name.replace(/\.yaml$/, "");
    if (this.zoo.selectedIndex < 0) this.zoo.value = "";
    this.quiet = true;
    if (!source.file) this.editor.set(source.text);
    this.quiet = false;
    this.look();
  }

  edited(text) {
    if (this.quiet) return;
    performance.mark("costcalc-key");
    this.source = { name: this.source?.name ?? "network.yaml", text };
    this.named.textContent = `${this.source.name}, edited`;
    this.zoo.value = "";
    this.revision++;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.write();
      this.look();
    }, PAUSE);
  }

  // The text into the address.
  async write() {
    const { text, name, zoo, first } = this.source;
    if (text === undefined || zoo || (first && !this.token)) return;
    const letters = await packed(text);
    if (this.source.text !== text) return;
    this.written = letters;
    this.state.set({ z: letters, n: name, zoo: "" });
  }

  convention(name) {
    this.state.set({ c: name === "paper" ? "" : name });
    this.revision++;
    this.look();
  }

  get at() {
    const found = {};
    for (const [name, value] of Object.entries(this.state.values)) {
      if (!name.startsWith("s.") || value === "") continue;
      const number = Number(value);
      found[name.slice(2)] = { true: true, false: false }[value] ?? (Number.isFinite(number) ? number : value);
    }
    return found;
  }

  request(ask, more = {}) {
    const { file, text, name } = this.source;
    const source = file ? { file } : { text, name };
    return { ask, source, convention: this.state.get("c") || "paper", at: this.at, ...more };
  }

  // Ask for what is to be shown; an answer that came too late is dropped, the newer one follows.
  async look(missing = { parts: this.app?.parts ?? [], all: false }) {
    if (!this.source) return;
    const request = this.request("look", missing);
    const wanted = JSON.stringify([this.revision, request.at, request.convention, missing]);
    if (wanted === this.asked) return;
    this.asked = wanted;
    const revision = this.revision;
    if (this.source.first && !this.app && !Object.keys(request.at).length && request.convention === "paper" && this.given.answer.document)
      this.shown(this.given.answer.document, request, true); // computed when the page was built
    this.views.classList.add("waits");
    const answer = await this.engine.ask(request);
    if (answer === null || revision !== this.revision) return;
    this.views.classList.remove("waits");
    if (answer.problems) this.failed(answer.problems);
    else this.shown(answer.document, request);
  }

  shown(data, request, early = false) {
    this.problems.replaceChildren();
    this.stale.hidden = true;
    this.views.classList.remove("stale");
    if (!this.source.file) this.editor.mark([]);
    document.title = `${data.title} - costcalc playground`;
    if (this.app) this.app.replace(data);
    else {
      this.app = new LiveApp(data, this.views, this.state, (missing) => this.look(missing));
      this.app.start();
    }
    performance.mark(early ? "costcalc-early" : "costcalc-shown");
    document.documentElement.dataset[early ? "early" : "shown"] = String(this.revision);
  }

  failed(problems) {
    this.stale.hidden = !this.app;
    this.views.classList.add("stale");
    this.views.classList.remove("waits");
    const own = problems.filter((one) => !one.file || one.file === this.source?.name);
    if (this.source && !this.source.file) this.editor.mark(own);
    this.problems.replaceChildren(
      h("p", { class: "error" }, problems.length === 1 ? "1 error" : `${problems.length} errors`),
      ...problems.slice(0, 50).map((one) => this.problem(one, own.includes(one))),
    );
    document.documentElement.dataset.failed = String(this.revision);
  }

  problem(one, here) {
    const place = one.line ? `${here ? "line" : `${one.file}, line`} ${one.line}: ` : "";
    const text = `${place}${sentence(one)}`;
    const notes = (one.notes ?? []).map((note) => h("p", { class: "note" }, note));
    const shown = here && one.line && !this.source.file ? button(text, () => this.editor.go(one), { class: "link problem" }) : h("span", {}, text);
    return h("div", { class: "found" }, shown, notes);
  }

  // ---------------------------------------------------------------------------------------------- to others

  async copyLink() {
    await this.write();
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("The link is copied: it holds the spec and the view.");
    } catch {
      this.say("Copy the address of this page: it holds the spec and the view.");
    }
    setTimeout(() => this.say(""), 6000);
  }

  async savePage() {
    this.say("Writing the page.");
    const answer = await this.engine.ask(this.request("page"));
    this.say("");
    if (!answer) return;
    if (answer.problems) return this.failed(answer.problems);
    const url = URL.createObjectURL(new Blob([answer.html], { type: "text/html" }));
    h("a", { href: url, download: `${this.source.name.replace(/\.[^.]*$/, "")}.html` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  drops() {
    const over = (on) => document.documentElement.classList.toggle("over", on);
    addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      const file = event.dataTransfer?.files[0];
      if (file) this.openFile(file);
    });
  }
}

new Playground().begin();
