// Which kinds of layers cost what, as in Table 2 of the MobileNet paper.
import { amount, share } from "../bars.js";
import { h, fill } from "../dom.js";
import { fraction, percent, sum } from "../numbers.js";
import { heading, ordered } from "../sorted.js";

const NAMED = 0.06; // of the width: narrower parts have no name in the bar

export function types(panel, app) {
  const { point, network, state } = app;
  const metrics = [...new Set([network.cost, "params", app.additive.name])].map((name) => network.metric(name));
  const groups = new Map();
  for (const row of point.rows) if (!row.hidden) groups.set(row.type, [...(groups.get(row.type) ?? []), row]);
  const found = [...groups].map(([type, rows]) => ({
    type,
    rows,
    complete: rows.every((row) => row.complete),
    ...Object.fromEntries(metrics.map((one) => [one.name, sum(rows.map((row) => row.amounts[one.name] ?? 0))])),
  }));
  const metric = app.additive;
  const order = state.get("tsort") || `-${metric.name}`;
  const lines = ordered(found, order, (one, name) => (name === "layers" ? one.rows.length : one[name]));
  const total = point.totals[metric.name];
  const bar = ordered(found, `-${metric.name}`, (one, name) => one[name]).filter((one) => fraction(one[metric.name], total) > 0.001);

  fill(
    panel,
    h(
      "div",
      {
        class: "stack",
        role: "img",
        "aria-label": `Share of ${metric.title}: ${bar.map((one) => `${one.type} ${percent(one[metric.name], total)}`).join(", ")}`,
      },
      bar.map((one, index) => {
        const part = fraction(one[metric.name], total);
        return h(
          "span",
          {
            class: index % 2 ? "odd" : null,
            title: `${one.type}: ${percent(one[metric.name], total)}`,
            "--share": part.toFixed(4),
            style: { width: `${100 * part}%` },
          },
          part > NAMED ? one.type : "",
        );
      }),
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Layer types" },
      h(
        "table",
        {},
        h("caption", {}, "Layer types"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heading("type", "type", order, (next) => app.change({ tsort: next }), false),
            heading("layers", "layers", order, (next) => app.change({ tsort: next }), true),
            metrics.flatMap((one) => [
              heading(one.title, one.name, order, (next) => app.change({ tsort: next }), true),
              h("th", { scope: "col", class: "number quiet" }, "share"),
            ]),
          ),
        ),
        h(
          "tbody",
          {},
          lines.map((one) =>
            h(
              "tr",
              { "data-name": one.type },
              h("th", { scope: "row" }, one.type),
              h("td", { class: "number" }, one.rows.length),
              metrics.flatMap((each) => [
                amount(one[each.name], point.totals[each.name], one.complete),
                share(one[each.name], point.totals[each.name]),
              ]),
            ),
          ),
        ),
      ),
    ),
  );
}
