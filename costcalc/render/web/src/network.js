// The embedded document as layers: nothing is computed here but sums of the engine's own numbers.
import { exact, most, sum } from "./numbers.js";

const CHUNK = 100; // children of one level that stand together where there are more

export class Network {
  constructor(document) {
    this.document = document;
    this.axes = document.axes;
    this.metrics = document.metrics;
    this.cost = document.convention.cost;
    this.start = this.axes.map((axis) => axis.start);
    this.numbers = new Map(document.points.map((point, number) => [point.at.join(), number]));
    this.cache = new Map();
    this.names = document.structures.map(namesOf);
  }

  metric(name) {
    return this.metrics.find((one) => one.name === name) ?? this.metrics[0];
  }

  // The number of a setting; -1 for one that is not embedded.
  number(at) {
    return this.numbers.get(at.join()) ?? -1;
  }

  // A slider is moved: the others stay, or return to their start where only one moves at a time.
  moved(at, axis, value) {
    const next = this.document.grid ? [...at] : [...this.start];
    next[axis] = value;
    return next;
  }

  // Everything of one setting; `error` instead where the network cannot be built there.
  at(at) {
    const number = Math.max(this.number(at), 0);
    if (!this.cache.has(number)) {
      if (this.cache.size > 8) this.cache.clear();
      this.cache.set(number, this.read(number));
    }
    return this.cache.get(number);
  }

  read(number) {
    const point = this.document.points[number];
    if (point.error) return { number, at: point.at, error: point.error, totals: {}, rows: [] };
    const structure = this.document.structures[point.structure];
    const place = this.document.members[point.structure].indexOf(number);
    const rows = rowsOf(this, structure, this.names[point.structure], place);
    const totals = Object.fromEntries(this.metrics.map((one, index) => [one.name, exact(point.totals[index])]));
    return {
      ...point,
      number,
      place,
      rows,
      totals,
      complete: point.complete !== false,
      tree: treeOf(rows),
      edges: () => edgesOf(structure, rows.length),
      data: structure,
    };
  }
}

const valueIn = (column, place) => exact(Array.isArray(column) ? column[place] : column);

function namesOf(structure) {
  const names = [];
  let before = "";
  for (let at = 0; at < structure.names.length; at += 2) {
    before = before.slice(0, structure.names[at]) + structure.names[at + 1];
    names.push(before.split("\n"));
  }
  return names;
}

function rowsOf(network, structure, names, place) {
  const { fields } = network.document;
  const summed = network.metrics.filter((one) => one.fold !== "figure" && one.name !== "peak_bytes");
  const kinds = structure.kinds.map((columns) => {
    const kind = { amounts: {} };
    columns.forEach((column, index) => {
      const value = valueIn(structure.columns[column], place);
      if (index < fields.length) kind[fields[index]] = value;
      else kind.amounts[summed[index - fields.length].name] = value;
    });
    return kind;
  });
  return names.map((path, number) => {
    const kind = kinds[structure.kind[number]];
    const live = structure.live && valueIn(structure.columns[structure.live[number]], place);
    return {
      ...kind,
      amounts: { ...kind.amounts, peak_bytes: live },
      number,
      path,
      name: path.join("/"),
      shared: structure.shared[number],
      live,
    };
  });
}

function edgesOf(structure, count) {
  const sources = [];
  for (let number = 0; number < count; number++) sources.push(structure.sources[number] ?? [number - 1]);
  return sources;
}

// ------------------------------------------------------------------------------------------------ tree of blocks

class Node {
  constructor(title, parent) {
    Object.assign(this, {
      title,
      parent,
      children: [],
      row: null,
      rows: [],
      id: 0,
      depth: parent ? parent.depth + 1 : -1,
      sums: new Map(),
    });
  }

  get path() {
    return this.parent?.parent ? `${this.parent.path}/${this.title}` : this.title;
  }

  // The amount of a metric of all layers in it.
  amount(metric) {
    if (!this.sums.has(metric.name)) {
      const values = this.rows.map((row) => row.amounts[metric.name] ?? 0);
      this.sums.set(metric.name, metric.fold === "max" ? most(values) : sum(values));
    }
    return this.sums.get(metric.name);
  }

  get complete() {
    return this.rows.every((row) => row.complete);
  }

  // The parts that a view shows: layers that cost nothing are left out unless `all`.
  parts(all) {
    return this.children.filter((child) => all || child.rows.some((row) => !row.hidden));
  }

  get hidden() {
    return this.rows.every((row) => row.hidden);
  }
}

function treeOf(rows) {
  const root = new Node("", null);
  const found = new Map();
  for (const row of rows) {
    let node = root;
    let key = "";
    node.rows.push(row);
    for (const level of row.path) {
      key += `\n${level}`;
      if (!found.has(key)) {
        found.set(key, new Node(level, node));
        node.children.push(found.get(key));
      }
      node = found.get(key);
      node.rows.push(row);
    }
    node.row = row;
  }
  chunk(root);
  number(root, { next: 0 });
  return root;
}

function chunk(node) {
  node.children.forEach(chunk);
  let size = CHUNK;
  while (node.children.length > 1.5 * CHUNK) {
    const children = node.children;
    node.children = [];
    for (let at = 0; at < children.length; at += CHUNK) {
      const part = children.slice(at, at + CHUNK);
      const one = new Node(`${part[0].first ?? part[0].title} to ${part.at(-1).last ?? part.at(-1).title}`, node);
      Object.assign(one, {
        children: part,
        rows: part.flatMap((child) => child.rows),
        first: part[0].first ?? part[0].title,
        last: part.at(-1).last ?? part.at(-1).title,
        isChunk: true,
      });
      part.forEach((child) => (child.parent = one));
      node.children.push(one);
    }
    size *= CHUNK;
  }
}

function number(node, counter) {
  node.id = counter.next++;
  node.depth = node.parent ? node.parent.depth + 1 : -1;
  node.children.forEach((child) => number(child, counter));
}

// All nodes below one, in order.
export function* below(node, all = true) {
  for (const child of node.parts(all)) {
    yield child;
    yield* below(child, all);
  }
}
