// The table of layers: folded by block, sorted by any column, each amount with a bar.
import { amount, amountText, share } from "../bars.js";
import { button, check, h, fill } from "../dom.js";
import { below } from "../network.js";
import { ordered, heading } from "../sorted.js";
import { listOf, setOf } from "../state.js";

const MOST = 600; // rows that are drawn at once
const OPEN = 90; // layers that are all shown at first

export function layers(panel, app) {
  const { point, state, network } = app;
  const all = state.get("all") === "1";
  const needle = state.get("q").toLowerCase();
  const order = state.get("sort");
  const columns = amounts(app);
  const base = state.get("fold") || ([...below(point.tree, all)].length <= OPEN ? "open" : "shut");
  const other = setOf(state.get("but"));
  const isOpen = (node) => needle !== "" || (base === "open") !== other.has(node.id);

  const set = (changes) => app.change(changes);
  const toggle = (node) => {
    other.has(node.id) ? other.delete(node.id) : other.add(node.id);
    set({ fold: base, but: listOf(other) });
  };
  const value = (node, name) =>
    name === "name" ? node.path : name === "type" ? (node.row?.type ?? "") : node.amount(network.metric(name));

  const rows = [];
  const visit = (node) => {
    for (const child of ordered(node.parts(all), order, value)) {
      const parts = child.parts(all);
      const shown = !needle || child.rows.some((row) => row.name.toLowerCase().includes(needle));
      if (!shown) continue;
      rows.push([child, parts]);
      if (parts.length && isOpen(child)) {
        visit(child);
        if (child.row) rows.push([child, [], "own"]);
      }
    }
  };
  visit(point.tree);

  const limit = state.number("rows", 1, 1e6) ?? MOST;
  fill(
    panel,
    h(
      "div",
      { class: "tools" },
      h(
        "label",
        { class: "choice" },
        h("span", {}, "Find"),
        h("input", {
          type: "search",
          "data-key": "find",
          value: state.get("q"),
          placeholder: "part of a name",
          oninput: (event) => set({ q: event.target.value }),
        }),
      ),
      button("Unfold all", () => set({ fold: "open", but: "" }), { "data-key": "unfold" }),
      button("Fold all", () => set({ fold: "shut", but: "" }), { "data-key": "fold" }),
      check("Zero-cost layers", all, (on) => set({ all: on ? "1" : "" })),
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
      h(
        "table",
        { class: "layers" },
        h("caption", {}, `Layers of ${network.document.title}${needle ? `, those with “${needle}” in their name` : ""}`),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head(columns, order, (next) => set({ sort: next })),
          ),
        ),
        h(
          "tbody",
          {},
          rows.slice(0, limit).map(([node, parts, own]) => line(app, node, parts, columns, isOpen(node), toggle, own)),
        ),
        h(
          "tfoot",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "row" }, "total"),
            h("td", { class: "wide" }),
            h("td", { class: "wider" }),
            h("td", { class: "wider" }),
            columns.flatMap((one) => foot(app, one)),
          ),
        ),
      ),
    ),
    rows.length > limit
      ? h(
          "p",
          { class: "note" },
          `${(rows.length - limit).toLocaleString("en-US")} more rows. `,
          button(`Show ${Math.min(MOST, rows.length - limit)} more`, () => set({ rows: String(limit + MOST) }), { "data-key": "more" }),
        )
      : null,
    rows.length ? null : h("p", { class: "note" }, "No layer has that in its name."),
  );
}

// The cost, params, and the metric that is measured, each once.
function amounts(app) {
  const names = [app.network.cost, "params", app.metric.name];
  return [...new Set(names)].map((name) => app.network.metric(name));
}

function head(columns, order, change) {
  const plain = (title, kind) => h("th", { scope: "col", class: kind }, title);
  return [
    heading("layer", "name", order, change, false),
    heading("type", "type", order, change, false, { class: "wide" }),
    plain("kernel / stride", "wider"),
    plain("output", "wider"),
    ...columns.flatMap((one) => [
      heading(one.title, one.name, order, change, true),
      h("th", { scope: "col", class: "number quiet" }, "share"),
    ]),
  ];
}

function foot(app, one) {
  const total = app.point.totals[one.name];
  return [
    h("td", { class: "number" }, `${app.point.complete ? "" : ">= "}${app.full(total)}`),
    h("td", { class: "number quiet" }, one.fold === "max" ? "" : "100.00 %"),
  ];
}

function line(app, node, parts, columns, open, toggle, own) {
  const row = parts.length && !node.row ? null : node.row;
  const leaf = own || !parts.length;
  const of = (metric) => (own ? (row.amounts[metric.name] ?? 0) : node.amount(metric));
  const count = node.rows.filter((one) => !one.hidden).length;
  const name = leaf
    ? h("span", { class: "leaf" }, node.title)
    : h(
        "button",
        { type: "button", class: "twist", "data-key": `node ${node.id}`, "aria-expanded": String(open), onclick: () => toggle(node) },
        node.title,
        h("span", { class: "count" }, ` ${count}`),
      );
  const said = (text) => (leaf ? (text ?? "") : "");
  return h(
    "tr",
    { class: leaf ? null : "block", "data-name": node.path },
    h("th", { scope: "row", "--depth": String(node.depth + (own ? 1 : 0)), title: node.path }, name),
    h("td", { class: "wide" }, said(row?.type), leaf && row?.shared ? h("span", { class: "count" }, ` weights of ${row.shared}`) : null),
    h("td", { class: "wider" }, said(row?.kernel && `${row.kernel}${row.stride ? ` / ${row.stride}` : ""}`)),
    h("td", { class: "wider" }, said(row?.output)),
    columns.flatMap((metric) => {
      const value = of(metric);
      const total = app.point.totals[metric.name];
      const cell =
        leaf || !open
          ? amount(value, total, own ? row.complete : node.complete)
          : h("td", { class: "number" }, amountText(value, node.complete));
      return [cell, metric.fold === "max" ? h("td", { class: "quiet" }) : share(value, total)];
    }),
  );
}
