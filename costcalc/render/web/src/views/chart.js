// All settings as points, the published ones with their names, and those that no other one beats.
import { button, check, choice, h, fill, s } from "../dom.js";
import { exact, full, short } from "../numbers.js";
import { compared } from "../sorted.js";

const LEFT = 78;
const BOTTOM = 46;
const TOP = 14;
const RIGHT = 18;

export function chart(panel, app) {
  const { network, state, point } = app;
  const source = sourceOf(network);
  draw(panel, app, source, {
    now: point.number,
    choose: (one) => one.at && app.move(one.at),
    defaults: [network.cost, source.accuracies[0] ?? "params"],
  });
}

// Points, their quantities and accuracies of a network.
function sourceOf(network) {
  const { document } = network;
  const totals = (values) => Object.fromEntries(network.metrics.map((one, index) => [one.name, exact(values[index])]));
  const settings = document.points
    .filter((one) => !one.error)
    .map((one) => ({
      title: one.setting,
      at: one.at,
      number: document.points.indexOf(one),
      values: totals(one.totals),
      complete: one.complete !== false,
    }));
  const published = document.published.map((one) => ({
    ...place(network, one),
    title: one.title || one.setting,
    detail: `${one.source}; ${one.setting}`,
    values: { ...totals(one.totals), ...one.accuracies },
    figures: one.figures,
    published: true,
    complete: true,
  }));
  const accuracies = [...new Set(published.flatMap((one) => Object.keys(one.values)))].filter(
    (name) => !network.metrics.some((each) => each.name === name),
  );
  return { points: [...settings, ...published], quantities: network.metrics.map((one) => [one.name, one.title, one.unit]), accuracies };
}

// Which of the embedded settings a published row is of, if it is one of them.
function place(network, { values }) {
  const at = network.axes.map((axis) => axis.values.findIndex((value) => String(value) === String(values[axis.name])));
  const number = network.number(at);
  return number < 0 ||
    Object.entries(values).some(
      ([name, value]) => !network.axes.some((axis) => axis.name === name) && String(network.document.fixed[name]) !== String(value),
    )
    ? {}
    : { at, number };
}

// The chart of any points: of a network's settings, or of the rows of a sweep.
export function draw(panel, app, source, { now, choose, defaults }) {
  const { state } = app;
  const known = [...source.quantities, ...source.accuracies.map((name) => [name, `published ${name}`, ""])];
  const pick = (key, fallback) => known.find(([name]) => name === state.get(key)) ?? known.find(([name]) => name === fallback) ?? known[0];
  const x = pick("x", defaults[0]);
  const y = pick("y", defaults[1]);
  const log = state.get("log") || "x";
  const points = source.points.filter((one) =>
    [x[0], y[0]].every((name) => Number.isFinite(Number(one.values[name])) && one.values[name] !== undefined),
  );
  const up = source.accuracies.includes(y[0]);
  const front = frontOf(points, x[0], y[0], up);
  const options = known.map(([name, title]) => [name, title]);
  const ordered = [...points].sort((a, b) => compared(a.values[x[0]], b.values[x[0]]) || compared(a.values[y[0]], b.values[y[0]]));
  const told = ordered[state.number("pt", 0, ordered.length - 1) ?? -1];
  const keys = (event) => {
    const at = ordered.indexOf(told ?? points.find((one) => one.number === now));
    const last = ordered.length - 1;
    const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next !== undefined) app.change({ pt: String(Math.min(Math.max(next, 0), last)) });
    else if (event.key === "Enter" && told) choose(told);
    else return;
    event.preventDefault();
  };

  fill(
    panel,
    h(
      "div",
      { class: "tools" },
      choice("Across", options, x[0], (value) => app.change({ x: value })),
      choice("Up", options, y[0], (value) => app.change({ y: value })),
      check("Logarithmic across", log.includes("x"), (on) =>
        app.change({ log: `${on ? "x" : ""}${log.includes("y") ? "y" : ""}` || "none" }),
      ),
      check("Logarithmic up", log.includes("y"), (on) => app.change({ log: `${log.includes("x") ? "x" : ""}${on ? "y" : ""}` || "none" })),
    ),
    points.length ? picture(points, front, x, y, log, now, choose, told, keys) : h("p", { class: "note" }, "No setting has both."),
    h("p", { class: "told", role: "status" }, told ? sentence(told, x, y) : `Arrow keys in the chart read the points${now < 0 ? "" : "; Enter moves the sliders there"}.`),
    h(
      "p",
      { class: "legend" },
      points.some((one) => !one.published) ? h("span", { class: "dot" }, "a setting") : null,
      points.some((one) => one.number === now) ? h("span", { class: "ring" }, "this setting") : null,
      points.some((one) => one.published) ? h("span", { class: "diamond" }, "published") : null,
      h("span", { class: "dash" }, up ? "front: less cost, more accuracy" : "front: less of both"),
    ),
    table(front, points.length, x, y, choose),
  );
}

// The points that no other one beats in both, from the left.
function frontOf(points, x, y, up) {
  const sign = up ? -1 : 1;
  const ordered = [...points].sort((a, b) => compared(a.values[x], b.values[x]) || sign * compared(a.values[y], b.values[y]));
  const found = [];
  for (const one of ordered) {
    const last = found.at(-1);
    if (!last || sign * compared(one.values[y], last.values[y]) < 0) found.push(one);
  }
  return found;
}

// The size of the picture in its own units: text stays readable on a narrow screen.
const size = () => (innerWidth < 640 ? [400, 320] : [1160, 460]);

function scale(values, from, to, log) {
  const numbers = values.map(Number);
  let [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const bent = log && low > 0;
  const f = bent ? Math.log10 : (value) => value;
  if (!bent) [low, high] = [low - 0.04 * (high - low || Math.abs(high) || 1), high + 0.04 * (high - low || Math.abs(high) || 1)];
  else if (low === high) [low, high] = [low / 2, high * 2];
  else [low, high] = [low / (high / low) ** 0.04, high * (high / low) ** 0.04];
  const place = (value) => from + ((f(Number(value)) - f(low)) / (f(high) - f(low))) * (to - from);
  return { place, ticks: bent ? logTicks(low, high) : ticks(low, high) };
}

function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(+at.toPrecision(12));
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const one of [1, 2, 5]) found.push(one * 10 ** power);
  const inside = found.filter((one) => one >= low && one <= high);
  return inside.length > 1 ? inside : ticks(low, high);
}

function picture(points, front, x, y, log, now, choose, told, keys) {
  const [WIDTH, HEIGHT] = size();
  const across = scale(
    points.map((one) => one.values[x[0]]),
    LEFT,
    WIDTH - RIGHT,
    log.includes("x"),
  );
  const upward = scale(
    points.map((one) => one.values[y[0]]),
    HEIGHT - BOTTOM,
    TOP,
    log.includes("y"),
  );
  const spot = (one) => [across.place(one.values[x[0]]), upward.place(one.values[y[0]])];
  const settings = points.filter((one) => !one.published);
  const line = front
    .map(spot)
    .map(([px, py], index) => `${index ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`)
    .join("");
  const said = (one) => sentence(one, x, y);
  return h(
    "div",
    { class: "scroll plot", tabindex: "0", role: "region", "aria-label": "Chart", "data-key": "plot", onkeydown: keys },
    s(
      "svg",
      { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${y[1]} against ${x[1]}, ${points.length} points` },
      thinned(across.ticks, WIDTH).map((value) => [
        s("line", { class: "grid", x1: across.place(value), x2: across.place(value), y1: TOP, y2: HEIGHT - BOTTOM }),
        s("text", { x: across.place(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, tick(value, x[2])),
      ]),
      upward.ticks.map((value) => [
        s("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: upward.place(value), y2: upward.place(value) }),
        s("text", { x: LEFT - 8, y: upward.place(value) + 4, "text-anchor": "end" }, tick(value, y[2])),
      ]),
      s("text", { class: "axis", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, x[1]),
      s("text", { class: "axis", transform: `translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" }, y[1]),
      s("path", { class: "front", d: line }),
      settings.map((one) =>
        s(
          "circle",
          {
            class: one.complete ? "point" : "point bound",
            cx: spot(one)[0].toFixed(1),
            cy: spot(one)[1].toFixed(1),
            r: 4.5,
            onclick: () => choose(one),
          },
          s("title", {}, said(one)),
        ),
      ),
      points.filter((one) => one.published).map((one) => diamond(one, spot(one), said(one), choose)),
      points
        .filter((one) => one.number === now)
        .map((one) => s("circle", { class: "now", cx: spot(one)[0].toFixed(1), cy: spot(one)[1].toFixed(1), r: 9 })),
      told ? s("circle", { class: "told", cx: spot(told)[0].toFixed(1), cy: spot(told)[1].toFixed(1), r: 13 }) : null,
    ),
  );
}

const sentence = (one, x, y) =>
  `${one.title}: ${full(one.values[x[0]])} ${x[1]}, ${full(one.values[y[0]])} ${y[1]}${one.detail ? ` (${one.detail})` : ""}`;

// So many marks as have room.
const thinned = (values, width) => values.filter((_, index) => index % Math.ceil((values.length * 70) / width) === 0);

const tick = (value, unit) => (Math.abs(value) >= 1000 || unit ? short(value, unit) : String(value));

function diamond(one, [x, y], said, choose) {
  return s(
    "path",
    {
      class: one.at ? "published known" : "published",
      onclick: () => choose(one),
      d: `M${x.toFixed(1)} ${(y - 7).toFixed(1)}l6 7l-6 7l-6 -7z`,
    },
    s("title", {}, said),
  );
}

function table(front, count, x, y, choose) {
  return h(
    "details",
    { class: "fronts" },
    h("summary", {}, `The front: ${front.length} of ${count} points`),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "The front" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "setting"),
            [x, y].map((one) => h("th", { scope: "col", class: "number" }, one[1])),
          ),
        ),
        h(
          "tbody",
          {},
          front.map((one) =>
            h(
              "tr",
              {},
              h(
                "th",
                { scope: "row" },
                one.at ? button(one.title, () => choose(one), { class: "link" }) : one.title,
                one.published ? h("span", { class: "count" }, " published") : null,
              ),
              [x, y].map(([name]) => h("td", { class: "number" }, full(one.values[name]))),
            ),
          ),
        ),
      ),
    ),
  );
}
