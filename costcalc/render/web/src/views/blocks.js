// The icicle: a block is as wide as its share, its parts stand under it. A click goes into a block, and out again.
import { h, fill } from "../dom.js";
import { below } from "../network.js";
import { fraction, full, percent, short } from "../numbers.js";

const THIN = 0.0015; // of the width: what is thinner is not drawn
const LEVELS = 8;

export function blocks(panel, app) {
  const { point, state } = app;
  const metric = app.additive;
  const total = point.totals[metric.name];
  const wanted = state.number("in", 0, 1e6) ?? 0;
  const zoomed = [point.tree, ...below(point.tree)].find((node) => node.id === wanted) ?? point.tree;
  const go = (node) => app.change({ in: node.id ? String(node.id) : "" });

  const line = [];
  for (let node = zoomed; node; node = node.parent) line.unshift(node);
  const whole = zoomed.amount(metric);
  const cells = [];
  const place = (node, left, level) => {
    const width = fraction(node.amount(metric), whole);
    if (width < THIN || level > LEVELS) return;
    cells.push({ node, left, width, level });
    let at = left;
    for (const child of node.children) {
      place(child, at, level + 1);
      at += fraction(child.amount(metric), whole);
    }
  };
  line.forEach((node, level) => node !== zoomed && cells.push({ node, left: 0, width: 1, level, above: true }));
  place(zoomed, 0, line.length - 1);
  const deepest = Math.max(...cells.map((cell) => cell.level), 0) + 1;
  const left = [...zoomed.rows].filter((row) => !fraction(row.amounts[metric.name], whole)).length;

  fill(
    panel,
    h(
      "nav",
      { class: "trail", "aria-label": "Blocks above" },
      h(
        "ol",
        {},
        line.map((node) =>
          h(
            "li",
            {},
            node === zoomed
              ? h("b", {}, node.title || "whole network")
              : h("button", { type: "button", "data-key": `trail ${node.id}`, onclick: () => go(node) }, node.title || "whole network"),
          ),
        ),
      ),
      h("span", { class: "quiet" }, `${app.least}${short(whole, metric.unit)} ${metric.title}, ${percent(whole, total)} of the network`),
    ),
    h(
      "div",
      { class: "scroll wide-icicle", tabindex: "0", role: "region", "aria-label": "Icicle" },
      h(
        "div",
        {
          class: "icicle",
          role: "group",
          "aria-label": `Blocks by ${metric.title}`,
          style: { height: `${deepest * 40}px` },
          onkeydown: move,
        },
        cells.map((cell, index) => drawn(app, cell, metric, total, index === line.length - 1, go, zoomed)),
      ),
    ),
    h(
      "p",
      { class: "note" },
      `Width: ${metric.title}. Click a block to go into it, or its parent to go out; arrow keys move.`,
      left ? ` ${left} ${left === 1 ? "layer has" : "layers have"} none and ${left === 1 ? "is" : "are"} not drawn.` : "",
    ),
  );
}

function drawn(app, { node, left, width, level, above }, metric, total, first, go, zoomed) {
  const value = node.amount(metric);
  const title = node.title || "whole network";
  const what = node.row && !node.children.length ? `, ${node.row.type}` : "";
  const text = `${node.path || "whole network"}${what}: ${node.complete ? "" : ">= "}${full(value)} ${metric.title}, ${percent(value, total)}`;
  const target = node === zoomed && node.parent ? node.parent : node;
  return h(
    "button",
    {
      type: "button",
      class: `cell${above || node === zoomed ? " above" : ""}${width < 0.03 ? " thin" : ""}`,
      tabindex: first ? "0" : "-1",
      "data-key": `cell ${node.id}`,
      "data-level": String(level),
      "data-value": String(value),
      title: text,
      "aria-label": width > 0.025 ? null : text,
      "--share": fraction(value, total).toFixed(4),
      style: { left: `${100 * left}%`, width: `${100 * width}%`, top: `${level * 40}px` },
      onclick: () => go(target),
    },
    width > 0.025 ? label(title) : null,
    width > 0.07 ? h("small", {}, percent(value, total)) : null,
  );
}

// A name that is cut where it is too long, but for the number at its end: that tells repeated blocks apart.
function label(title) {
  const end = /[^a-zA-Z]?\d+$/.exec(title)?.[0] ?? "";
  const start = title.slice(0, title.length - end.length);
  return h("span", { class: "label" }, start ? h("span", {}, start) : null, h("span", {}, end));
}

// Arrow keys: along a level, to the block above, to the first part below.
function move(event) {
  const cells = [...event.currentTarget.querySelectorAll(".cell")];
  const now = cells.indexOf(document.activeElement);
  if (now < 0) return;
  const level = (cell) => Number(cell.dataset.level);
  const here = level(cells[now]);
  const steps = {
    ArrowRight: () => cells.slice(now + 1).find((cell) => level(cell) === here),
    ArrowLeft: () => cells.slice(0, now).findLast((cell) => level(cell) === here),
    ArrowUp: () => cells.slice(0, now).findLast((cell) => level(cell) < here),
    ArrowDown: () => cells.slice(now + 1).find((cell) => level(cell) === here + 1),
  };
  const next = steps[event.key]?.();
  if (!(event.key in steps)) return;
  event.preventDefault();
  if (!next) return;
  cells.forEach((cell) => (cell.tabIndex = cell === next ? 0 : -1));
  next.focus();
}
