// The graph of tensors, blocks folded until they are opened, laid out by dagre.
import dagre from "@dagrejs/dagre";
import { button, h, fill, s } from "../dom.js";
import { fraction, full, percent, short } from "../numbers.js";
import { listOf, setOf } from "../state.js";

const MOST = 220; // nodes of one layout
const FEW = 24; // nodes up to which blocks are open at first
const GAP = 26;
const TITLE = 18; // of an open block, in pixels

export function graph(panel, app) {
  const { point, state } = app;
  const opened = setOf(state.get("open"));
  const shown = visible(point.tree, opened);
  const metric = app.additive;
  const laid = layout(app, shown, metric);
  const zoom = state.number("zoom", 20, 300) ?? 100;
  const set = (changes) => app.change(changes);
  const toggle = (node) => {
    opened.has(node.id) ? opened.delete(node.id) : opened.add(node.id);
    set({ open: listOf(opened) });
  };
  const chosen = laid.nodes.find((one) => String(one.key) === state.get("node"));

  fill(
    panel,
    h(
      "div",
      { class: "tools" },
      button("Open all blocks", () => set({ open: listOf(deep(point.tree)) }), { "data-key": "open all" }),
      button("Fold all", () => set({ open: "", node: "" }), { "data-key": "fold graph" }),
      h(
        "span",
        { class: "choice" },
        button("−", () => set({ zoom: String(Math.max(20, zoom - 20)) }), { "aria-label": "Smaller", "data-key": "smaller" }),
        h("span", { class: "zoom" }, `${zoom} %`),
        button("+", () => set({ zoom: String(Math.min(300, zoom + 20)) }), { "aria-label": "Larger", "data-key": "larger" }),
      ),
    ),
    shown.full ? h("p", { class: "note" }, `More than ${MOST} nodes: some blocks stay folded. Fold others to open them.`) : null,
    h(
      "div",
      { class: "graph scroll", tabindex: "0", role: "region", "aria-label": "Graph of the network" },
      picture(laid, zoom, app, toggle, (key) => set({ node: String(key) }), chosen?.key),
    ),
    h(
      "p",
      { class: "note", role: "status" },
      chosen ? about(chosen, app, metric) : `Size and shade: ${metric.title}. Click a block to open or fold it, a layer for its numbers.`,
    ),
  );
}

// Parts of a block in a graph: without layers that cost nothing.
const parts = (node) => node.parts(false);

function deep(tree) {
  const found = new Set();
  const visit = (node) => parts(node).forEach((child) => parts(child).length && (found.add(child.id), visit(child)));
  visit(tree);
  return found;
}

// The nodes of the picture: leaves, folded blocks, and open blocks around theirs.
function visible(tree, opened) {
  const leaves = [];
  const clusters = [];
  const found = { leaves, clusters, full: false };
  let count = parts(tree).length;
  const visit = (node, cluster) => {
    for (const child of parts(node)) {
      const inside = parts(child);
      const wanted = inside.length && opened.has(child.id);
      if (wanted && count + inside.length <= MOST) {
        count += inside.length;
        clusters.push({ node: child, cluster });
        visit(child, child);
        if (child.row) leaves.push({ node: child, cluster: child, own: true });
      } else {
        if (wanted) found.full = true;
        leaves.push({ node: child, cluster, folds: inside.length > 0 });
      }
    }
  };
  if (parts(tree).length === 1 && !opened.size && parts(parts(tree)[0]).length) opened.add(parts(tree)[0].id);
  visit(tree, null);
  return found;
}

// For each layer, the node of the picture that stands for it; layers that cost nothing belong to what they follow.
function owners(point, shown) {
  const owner = new Array(point.rows.length).fill(null);
  for (const leaf of shown.leaves) {
    leaf.key = leaf.own ? `own ${leaf.node.id}` : `node ${leaf.node.id}`;
    for (const row of leaf.own ? [leaf.node.row] : leaf.node.rows) owner[row.number] = leaf.key;
  }
  return owner;
}

function layout(app, shown, metric) {
  const { point } = app;
  const owner = owners(point, shown);
  const sources = point.edges();
  const above = (source, depth = 0) => {
    if (typeof source === "string") return [`input ${source}`];
    if (source === null || source < 0 || depth > 400) return [];
    return owner[source] !== null ? [owner[source]] : sources[source].flatMap((one) => above(one, depth + 1));
  };
  const edges = new Map();
  const inputs = new Set();
  point.rows.forEach((row) => {
    const target = owner[row.number];
    if (target === null) return;
    for (const source of sources[row.number]) {
      for (const from of above(source)) {
        if (from === target) continue;
        if (from.startsWith("input ")) inputs.add(from);
        edges.set(`${from}\n${target}`, { from, to: target });
      }
    }
  });
  const total = point.totals[metric.name];
  const largest = Math.max(...shown.leaves.map((leaf) => fraction(value(leaf, metric), total)), 1e-9);
  const nodes = [
    ...[...inputs].map((key) => ({ key, input: key.slice(6), width: 96, height: 28 })),
    ...shown.leaves.map((leaf) => sized(leaf, metric, total, largest)),
  ];
  return placed(nodes, [...edges.values()], shown.clusters);
}

const value = (leaf, metric) => (leaf.own ? (leaf.node.row.amounts[metric.name] ?? 0) : leaf.node.amount(metric));

function sized(leaf, metric, total, largest) {
  const part = fraction(value(leaf, metric), total);
  const title = leaf.node.title.length > 26 ? `${leaf.node.title.slice(0, 25)}…` : leaf.node.title;
  const grown = Math.sqrt(part / largest);
  return {
    ...leaf,
    title,
    value: value(leaf, metric),
    part,
    width: Math.max(110 + 90 * grown, 7.2 * title.length + 34),
    height: 38 + 22 * grown,
  };
}

function placed(nodes, edges, clusters) {
  const made = new dagre.graphlib.Graph({ compound: clusters.length > 0 });
  made.setGraph({
    rankdir: "TB",
    nodesep: 18,
    ranksep: GAP + (clusters.length ? TITLE / 2 : 0),
    marginx: 12,
    marginy: 12 + TITLE,
    ranker: nodes.length > 120 ? "longest-path" : "network-simplex",
  });
  made.setDefaultEdgeLabel(() => ({}));
  for (const one of nodes) made.setNode(one.key, { width: one.width, height: one.height });
  for (const { node } of clusters) made.setNode(`cluster ${node.id}`, {});
  for (const { node, cluster } of clusters) if (cluster) made.setParent(`cluster ${node.id}`, `cluster ${cluster.id}`);
  for (const one of nodes) if (one.cluster) made.setParent(one.key, `cluster ${one.cluster.id}`);
  for (const { from, to } of edges) made.setEdge(from, to);
  dagre.layout(made);
  const size = made.graph();
  return {
    width: Math.max(size.width, 120),
    height: Math.max(size.height, 60),
    nodes: nodes.map((one) => ({ ...one, ...box(made.node(one.key)) })),
    clusters: clusters.map(({ node }) => ({ node, ...headed(box(made.node(`cluster ${node.id}`))) })),
    edges: edges.map((edge) => ({ ...edge, points: made.edge(edge.from, edge.to).points })),
  };
}

// Room for the title of an open block, above what is inside.
const headed = ({ y, height, ...more }) => ({ ...more, y: y - TITLE, height: height + TITLE });

const box = ({ x, y, width, height }) => ({ x: x - width / 2, y: y - height / 2, width, height });

function picture({ width, height, nodes, clusters, edges }, zoom, app, toggle, choose, chosen) {
  const scale = zoom / 100;
  return s(
    "svg",
    {
      width: Math.round(width * scale),
      height: Math.round(height * scale),
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": `${nodes.length} nodes, ${edges.length} edges`,
    },
    s(
      "defs",
      {},
      s(
        "marker",
        { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
        s("path", { d: "M0 0L8 4L0 8Z", class: "head" }),
      ),
    ),
    clusters.map(({ node, x, y, width: w, height: t }) =>
      s(
        "g",
        pressed(
          {
            class: "cluster",
            "data-key": `cluster ${node.id}`,
            "aria-expanded": "true",
          },
          () => toggle(node),
        ),
        s("rect", { x, y, width: w, height: t, rx: 8 }),
        s("text", { x: x + 8, y: y + 14 }, `▾ ${node.title}`),
      ),
    ),
    edges.map(({ from, to, points }) =>
      s("path", { class: "edge", "data-from": from, "data-to": to, d: curve(points), "marker-end": "url(#arrow)" }),
    ),
    nodes.map((one) => drawn(one, app, toggle, choose, chosen)),
  );
}

const pressed = (attributes, act) => ({
  ...attributes,
  tabindex: "0",
  role: "button",
  onclick: act,
  onkeydown: (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      act();
    }
  },
});

function curve(points) {
  const [first, ...rest] = points;
  if (rest.length < 2) return `M${at(first)}${rest.map((point) => `L${at(point)}`).join("")}`;
  let path = `M${at(first)}`;
  for (let index = 0; index < rest.length - 1; index++) {
    const next = rest[index + 1];
    const end = index === rest.length - 2 ? next : { x: (rest[index].x + next.x) / 2, y: (rest[index].y + next.y) / 2 };
    path += `Q${at(rest[index])} ${at(end)}`;
  }
  return path;
}

const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;

function drawn(one, app, toggle, choose, chosen) {
  const { x, y, width, height } = one;
  const middle = x + width / 2;
  if (one.input !== undefined) {
    return s(
      "g",
      { class: "input", "data-key": one.key },
      s("rect", { x, y, width, height, rx: height / 2 }),
      s("text", { x: middle, y: y + height / 2 + 4, "text-anchor": "middle" }, one.input),
    );
  }
  const metric = app.additive;
  const said = about(one, app, metric);
  const title = `${one.folds ? "▸ " : ""}${one.title}`;
  const { complete, row } = one.node;
  const below = one.value
    ? `${complete ? "" : ">= "}${short(one.value, metric.unit)}, ${percent(one.value, app.point.totals[metric.name])}`
    : complete
      ? (row?.type ?? "")
      : ">= 0";
  const act = one.folds ? () => toggle(one.node) : () => choose(one.key);
  const kind = `node${one.folds ? " folds" : ""}${one.key === chosen ? " chosen" : ""}`;
  return s(
    "g",
    pressed(
      {
        class: kind,
        "data-key": one.key,
        "data-name": one.node.path,
        "--share": one.part.toFixed(4),
        "aria-expanded": one.folds ? "false" : null,
      },
      act,
    ),
    one.folds ? s("rect", { class: "under", x: x + 4, y: y + 4, width, height, rx: 6 }) : null,
    s("rect", { x, y, width, height, rx: 6 }, s("title", {}, said)),
    s("text", { x: middle, y: y + height / 2 - 2, "text-anchor": "middle" }, title),
    s("text", { class: "small", x: middle, y: y + height / 2 + 13, "text-anchor": "middle" }, below),
  );
}

function about(one, app, metric) {
  if (one.input !== undefined) return `input ${one.input}`;
  const row = one.folds ? null : one.node.row;
  const numbers = `${one.node.complete ? "" : ">= "}${full(one.value)} ${metric.title}, ${percent(one.value, app.point.totals[metric.name])}`;
  const what = row
    ? `${row.type}${row.kernel ? ` / ${row.stride}` : ""}, ${row.input} to ${row.output}`
    : `a block of ${one.node.rows.filter((each) => !each.hidden).length} layers`;
  return `${one.node.path}: ${what}; ${numbers}`;
}
