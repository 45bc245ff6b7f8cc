// The same network made otherwise, beside itself at the same setting.
import { h, fill } from "../dom.js";
import { exact, fraction, full, ratio, short } from "../numbers.js";

const TITLES = { conv: "Standard and separable convolutions", phase: "As it is trained and as it is deployed" };

export function variants(panel, app) {
  const { network, point } = app;
  const groups = ["conv", "phase"].map((group) => [group, sides(app, group)]).filter(([, found]) => found.length > 1);
  fill(
    panel,
    ...groups.map(([group, found]) => section(app, TITLES[group], found)),
    h(
      "p",
      { class: "note" },
      `At ${point.setting}. \`costcalc compare\` sets them side by side, layer by layer; convention ${network.document.convention.name}.`,
    ),
  );
}

function sides(app, group) {
  const { network, point } = app;
  const names = [network.cost, "params"];
  const made = network.document.variants.filter((one) => one.group === group && one.totals[point.number]);
  const found = made.map((one) => ({
    title: one.title,
    complete: one.complete[point.number],
    totals: one.totals[point.number].map(exact),
    types: typesOf(one, point.number),
  }));
  const own = { title: "as written", complete: point.complete, totals: names.map((name) => point.totals[name]), types: ownTypes(app) };
  return group === "conv" && found.length ? [own, ...found] : found;
}

function typesOf({ types }, number) {
  const value = (column) => exact(Array.isArray(types.columns[column]) ? types.columns[column][number] : types.columns[column]);
  return new Map(types.names.map((name, index) => [name, types.rows[index].map(value)]));
}

function ownTypes({ point, network }) {
  const found = new Map();
  for (const row of point.rows.filter((one) => !one.hidden)) {
    const [cost, params, layers] = found.get(row.type) ?? [0, 0, 0];
    found.set(row.type, [cost + row.amounts[network.cost], params + row.amounts.params, layers + 1]);
  }
  return found;
}

function section(app, title, found) {
  const { network } = app;
  const metrics = [network.metric(network.cost), network.metric("params")];
  const names = [...new Set(found.flatMap((one) => [...one.types.keys()]))].filter((name) =>
    found.some((one) => one.types.get(name)?.[0] || one.types.get(name)?.[1]),
  );
  return h(
    "section",
    { class: "variants" },
    h("h3", {}, title),
    metrics.map((metric, at) => {
      const largest = found.map((one) => one.totals[at]).reduce((a, b) => (b > a ? b : a));
      return h(
        "div",
        { class: "beside" },
        h("h4", {}, metric.title),
        found.map((one, index) =>
          h(
            "div",
            { class: "side" },
            h("span", { class: "what" }, one.title),
            h("span", { class: "rod", "--share": fraction(one.totals[at], largest).toFixed(4) }),
            h(
              "span",
              { class: "number" },
              h("b", {}, `${one.complete ? "" : ">= "}${short(one.totals[at], metric.unit)}`),
              ` ${full(one.totals[at])}`,
              index ? h("span", { class: "quiet" }, ` ${ratio(one.totals[at], found[0].totals[at])}`) : null,
            ),
          ),
        ),
      );
    }),
    h(
      "details",
      {},
      h("summary", {}, "By layer type"),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, by layer type` },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, "type"),
              found.flatMap((one) => metrics.map((metric) => h("th", { scope: "col", class: "number" }, `${one.title}: ${metric.title}`))),
            ),
          ),
          h(
            "tbody",
            {},
            names.map((name) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, name),
                found.flatMap((one) =>
                  [0, 1].map((at) => h("td", { class: "number" }, one.types.has(name) ? full(one.types.get(name)[at]) || "-" : "-")),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
