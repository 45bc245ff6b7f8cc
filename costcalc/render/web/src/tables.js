// What another command shows, as a page: its lines, its tables with sorting, its chart, and what the numbers mean.
import { h, fill } from "./dom.js";
import { exact } from "./numbers.js";
import { heading, ordered } from "./sorted.js";
import { draw } from "./views/chart.js";

const MOST = 1000;
const LONG = 24; // characters of a text that goes on in the next line
const STATES = { FAIL: "over", ERROR: "over", WARN: "close", ok: "fine" };
const SCALES = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

export function tables(root, app) {
  const { document: data, state } = app;
  fill(
    root,
    data.heads.length > 4
      ? h("pre", { class: "heads" }, data.heads.join("\n").trim())
      : data.heads.filter(Boolean).map((line) => h("p", { class: "headline" }, line)),
    data.chart ? h("section", { id: "chart" }) : "",
    data.sheets.map((sheet, number) => table(sheet, number, app)),
    h(
      "footer",
      { class: "stamp" },
      data.notes.map((line) => h("p", {}, line)),
    ),
  );
  const panel = root.querySelector("#chart");
  if (panel) sweep(panel, app);
  return state;
}

function sweep(panel, app) {
  const { axes, metrics, rows, units } = app.document.chart;
  const names = [...axes, ...metrics];
  const points = rows.map((row, number) => {
    const values = Object.fromEntries(names.map((name, index) => [name, exact(row[index])]));
    return { title: axes.map((name) => `${name}=${values[name]}`).join(", "), values, number, complete: row[names.length] !== false };
  });
  const quantities = names
    .map((name) => [name, name, units[name] ?? ""])
    .filter(([name]) => points.every((one) => Number.isFinite(Number(one.values[name]))));
  const published = publishedIn(app.document.chart, points);
  const accuracies = [...new Set(published.flatMap((one) => Object.keys(one.accuracies)))];
  draw(
    panel,
    app,
    { points: [...points, ...published], quantities, accuracies },
    { now: -1, choose: () => {}, defaults: [metrics[0], accuracies[0] ?? metrics[1] ?? metrics[0]] },
  );
}

// The published rows that are of one of the points, each with the numbers of that point.
function publishedIn({ axes, published = [] }, points) {
  const key = (values) => axes.map((axis) => String(values[axis])).join("\n");
  const known = new Map(points.map((one) => [key(one.values), one]));
  return published.flatMap(({ title, source, values, accuracies }) => {
    const own = known.get(key(values));
    return own
      ? [{ title: title || own.title, detail: source, values: { ...own.values, ...accuracies }, accuracies, published: true, complete: own.complete }]
      : [];
  });
}

// The colours of a terminal: red for what fails or is more, green for what is fine or less.
function meaning(text, column) {
  if (STATES[text]) return STATES[text];
  if (!/(change|difference)$/.test(column.title)) return "";
  return /^\+\d/.test(text) && /[1-9]/.test(text) ? "over" : /^-\d/.test(text) ? "fine" : "";
}

// What a cell is sorted by: its number where it has one.
function key(text, number) {
  if (!number) return text;
  const found = /[+-]?\d[\d,]*(\.\d+)?([eE][+-]?\d+)?/.exec(text);
  if (!found) return -Infinity;
  const plain = found[0].replaceAll(",", "");
  const scale =
    SCALES[
      text
        .slice(found.index + found[0].length)
        .trim()
        .charAt(0)
    ] ?? 1;
  return /^[+-]?\d+$/.test(plain) && scale === 1 ? exact(plain.replace("+", "")) : Number(plain) * scale;
}

function table(sheet, number, app) {
  const name = `sort${number}`;
  const order = app.state.get(name);
  const lines = ordered(sheet.rows, order, (row, at) => {
    const value = key(row[Number(at)] ?? "", sheet.columns[Number(at)]?.number);
    return typeof value === "bigint" ? Number(value) : value;
  });
  const limit = app.state.number(`rows${number}`, 1, 1e6) ?? MOST;
  const cell = (tag, text, column) => {
    const share = /^(\d+(\.\d+)?) %$/.exec(text);
    return h(
      tag,
      {
        class: [column.number && "number", share && "bar", text.length > LONG && !column.number && "long", meaning(text, column)].filter(Boolean).join(" ") || null,
        "--share": share ? Math.min(Number(share[1]) / 100, 1).toFixed(4) : null,
      },
      h("span", {}, text),
    );
  };
  const title = sheet.title || (number ? `table ${number + 1}` : "table");
  return h(
    "section",
    {},
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
      h(
        "table",
        { class: "sheet" },
        sheet.title ? h("caption", {}, sheet.title) : null,
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            sheet.columns.map((column, at) =>
              column.title ? heading(column.title, String(at), order, (next) => app.change({ [name]: next }), column.number) : h("td", {}),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          lines.slice(0, limit).map((row) =>
            h(
              "tr",
              {},
              row.map((text, at) => cell("td", text, sheet.columns[at])),
            ),
          ),
        ),
        sheet.foot.length
          ? h(
              "tfoot",
              {},
              h(
                "tr",
                {},
                sheet.foot.map((text, at) => cell("td", text, sheet.columns[at])),
              ),
            )
          : null,
      ),
    ),
    lines.length > limit
      ? h(
          "p",
          { class: "note" },
          `${lines.length - limit} more rows. `,
          h(
            "button",
            { type: "button", "data-key": `more ${number}`, onclick: () => app.change({ [`rows${number}`]: String(limit + MOST) }) },
            "Show more",
          ),
        )
      : null,
  );
}
