// What lives while each layer runs, and the tensors of one step.
import { h, fill, s } from "../dom.js";
import { exact, full, most, percent, short } from "../numbers.js";

const WIDTH = 900;
const HEIGHT = 200;
const BARS = 450; // more steps are drawn as the largest of several

export function memory(panel, app) {
  const { point, state } = app;
  const rows = point.rows;
  const peak = most(rows.map((row) => row.live));
  const at = rows.findIndex((row) => row.live === peak);
  const step = state.number("step", 0, rows.length - 1) ?? at;
  const row = rows[step];
  const least = point.unknown ? ">= " : "";
  const go = (next) => app.change({ step: next === at ? "" : String(next) });
  const found = tensors(point, step);

  fill(
    panel,
    h(
      "p",
      {},
      h("b", {}, `Peak ${least}${short(peak, "B")}`),
      ` (${least}${full(peak)} B) while `,
      h("button", { type: "button", class: "link", "data-key": "peak", onclick: () => go(at) }, rows[at].name),
      " runs. The bars are the operations in the order they run.",
    ),
    picture(rows, peak, at, step, go),
    h(
      "label",
      { class: "slider step" },
      h("span", {}, `Step ${step + 1} of ${rows.length}`),
      h("input", {
        type: "range",
        min: "0",
        max: String(rows.length - 1),
        value: String(step),
        "data-key": "step",
        "aria-valuetext": `${row.name}, ${full(row.live)} bytes`,
        oninput: (event) => go(Number(event.target.value)),
      }),
      h("output", {}, row.name),
    ),
    h("p", {}, `${least}${full(row.live)} B live while ${row.name} runs: ${percent(row.live, peak)} of the peak.`),
    found
      ? table(found, row)
      : h("p", { class: "note" }, "Tensors share storage differently at other settings: the list is that of `costcalc memory`."),
    h("p", { class: "note" }, storage(app)),
  );
}

const storage = (app) => (app.network.document.stamp[1].includes("stored") ? app.network.document.stamp[1] : "");

function picture(rows, peak, at, step, go) {
  const group = Math.max(1, Math.ceil(rows.length / BARS));
  const bars = [];
  for (let first = 0; first < rows.length; first += group) {
    const part = rows.slice(first, first + group);
    bars.push({ first, last: first + part.length - 1, live: most(part.map((row) => row.live)) });
  }
  const wide = WIDTH / bars.length;
  const click = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const bar = bars[Math.min(bars.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bars.length)))];
    go(rows.findIndex((row, number) => number >= bar.first && number <= bar.last && row.live === bar.live));
  };
  const has = (bar, number) => number >= bar.first && number <= bar.last;
  return s(
    "svg",
    {
      class: "memory",
      viewBox: `0 0 ${WIDTH} ${HEIGHT + 4}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `Live bytes of ${rows.length} operations; the peak is ${full(peak)} at ${rows[at].name}`,
      onclick: click,
    },
    bars.map((bar, index) => {
      const tall = Number(peak) ? (HEIGHT * Number(bar.live)) / Number(peak) : 0;
      const kind = has(bar, step) ? "step" : has(bar, at) ? "peak" : "";
      return s("rect", {
        class: kind,
        x: (index * wide).toFixed(2),
        y: (HEIGHT - tall).toFixed(2),
        width: Math.max(wide - (wide > 4 ? 1 : 0), 0.5).toFixed(2),
        height: tall.toFixed(2),
      });
    }),
    s("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT + 1, y2: HEIGHT + 1 }),
  );
}

// The buffers that live while a step runs, largest first; null where the page has none.
function tensors(point, step) {
  const { data, place, rows } = point;
  if (!data.buffers) return null;
  const size = (column) => exact(Array.isArray(data.columns[column]) ? data.columns[column][place] : data.columns[column]);
  const sources = point.edges();
  const found = data.buffers
    .filter(([first, last]) => first <= step && step <= last)
    .map(([, last, column, ...made]) => {
      const there = made.filter((one) => typeof one === "string" || one <= step);
      const one = there.at(-1) ?? made[0];
      const readers = [];
      for (let at = step; at <= last && readers.length < 4; at++)
        if (sources[at].some((source) => there.includes(source)) && !made.includes(at)) readers.push(rows[at].name);
      const isInput = typeof one === "string";
      return {
        name: isInput ? one : rows[one].name,
        shape: isInput ? "" : rows[one].output,
        kind: isInput ? "input" : rows[one].type,
        bytes: size(column),
        readers,
      };
    });
  const work = data.workspace[step];
  if (work !== undefined && size(work)) found.push({ name: "workspace", shape: "", kind: "", bytes: size(work), readers: [] });
  return found.sort((a, b) => (a.bytes < b.bytes ? 1 : a.bytes > b.bytes ? -1 : 0));
}

function table(found, row) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Live tensors" },
    h(
      "table",
      { class: "tensors" },
      h("caption", {}, `Tensors that live while ${row.name} runs`),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["tensor", "made by", "shape"].map((one) => h("th", { scope: "col", class: one === "made by" ? "wide" : null }, one)),
          h("th", { scope: "col", class: "number" }, "bytes"),
          h("th", { scope: "col", class: "wide" }, "still read by"),
        ),
      ),
      h(
        "tbody",
        {},
        found.map((one) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, one.name),
            h("td", { class: "wide" }, one.kind),
            h("td", {}, one.shape),
            h(
              "td",
              { class: "number bar", "--share": (Number(one.bytes) / Number(row.live || 1)).toFixed(4) },
              h("span", {}, full(one.bytes)),
            ),
            h("td", { class: "wide" }, one.kind === "" ? "" : one.readers.join(", ") || "output"),
          ),
        ),
      ),
      h(
        "tfoot",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "row" }, "total"),
          h("td", { class: "wide" }),
          h("td", {}),
          h("td", { class: "number" }, full(row.live)),
          h("td", { class: "wide" }),
        ),
      ),
    ),
  );
}
