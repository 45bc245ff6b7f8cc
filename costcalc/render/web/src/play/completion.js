// What could be written at a place of a spec, by the JSON Schema of the language.

// Completions at the end of `before`, the text up to the cursor: {from, options}; null where there are none.
export function completions(schema, before) {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (/(^|\s)#/.test(line)) return null;
  const place = placeOf(before, line);
  if (!place) return null;
  const found = new Finder(schema).at(place.path);
  const options = place.key === null ? keysOf(found, place) : valuesOf(found, place.key);
  return options.length ? { from: before.length - place.word.length, options } : null;
}

const KEY = /^([^\s:#"'{}[\],&*!|>%@`-][^:#]*?):(?=\s|$)/;

// Where the cursor is: the path of the mapping, the keys it has already, the key whose value is written, the word so far.
function placeOf(before, line) {
  const inside = flow(line);
  const word = /[\w.-]*$/.exec(line)[0];
  const outer = blockAt(before);
  const text = inside ? inside.text : line.replace(/^\s*(- +)*/, "");
  const item = inside ? /(?:^|,)\s*([\w.-]+):\s*[\w.-]*$/.exec(text) : /^([\w.-]+):\s+[\w.-]*$/.exec(text);
  const bare = inside ? /(?:^|,)\s*[\w.-]*$/.test(text) : /^[\w.-]*$/.test(text);
  if (!item && !bare) return null;
  const keys = inside ? [...text.matchAll(/(?:^|,)\s*([\w.-]+):/g)].map((one) => one[1]) : outer.keys;
  return { path: inside ? [...outer.path, ...inside.path] : outer.path, keys, key: item ? item[1] : null, word };
}

// The path of the block mapping that the last line stands in, by indentation, and the keys it has already.
function blockAt(before) {
  const stack = [];
  const under = (column) => {
    while (stack.length && (stack.at(-1).column > column || (stack.at(-1).item && stack.at(-1).column === column))) stack.pop();
  };
  const lines = before.split("\n");
  lines.forEach((line, number) => {
    const last = number === lines.length - 1;
    let [, spaces, rest] = /^(\s*)(.*)$/.exec(line);
    let column = spaces.length;
    if (!last && (!rest || rest.startsWith("#"))) return;
    for (let dash = /^- +/.exec(rest); dash; dash = /^- +/.exec(rest)) {
      under(column);
      stack.push({ column, item: true });
      column += dash[0].length;
      rest = rest.slice(dash[0].length);
    }
    const key = KEY.exec(rest)?.[1];
    if (!last && key === undefined) return;
    while (stack.length && (stack.at(-1).column > column || (stack.at(-1).item && stack.at(-1).column >= column))) stack.pop();
    if (!stack.length || stack.at(-1).column < column) stack.push({ column, keys: [] });
    if (!last) stack.at(-1).keys.push(key);
  });
  const { keys } = stack.pop();
  return { path: stack.map((one) => (one.item ? 0 : one.keys.at(-1))), keys };
}

// The innermost `{` of this line that is not closed: the keys that lead to it, and the text after it.
function flow(line) {
  const open = [];
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "{" || line[at] === "[") open.push(at);
    else if (line[at] === "}" || line[at] === "]") open.pop();
  }
  const at = open.at(-1);
  if (at === undefined || line[at] !== "{") return null;
  const path = open.flatMap((start) => {
    const named = /([\w.-]+):\s*$/.exec(line.slice(0, start));
    return line[start] === "[" ? [...(named ? [named[1]] : []), 0] : named ? [named[1]] : [];
  });
  return { path, text: line.slice(at + 1).replaceAll(/[{[][^{}[\]]*[}\]]/g, "0") };
}

class Finder {
  constructor(schema) {
    this.schema = schema;
  }

  resolved(one, deep = 0) {
    if (!one || deep > 9) return [];
    const target = one.$ref ? this.schema.definitions[one.$ref.split("/").at(-1)] : null;
    return [one, ...(target ? this.resolved(target, deep + 1) : []), ...(one.anyOf ?? []).flatMap((each) => this.resolved(each, deep + 1))];
  }

  at(path) {
    let found = this.resolved(this.schema);
    for (const step of path)
      found = found.flatMap((one) => {
        const next = step === 0 ? one.items : (one.properties?.[step] ?? (one.additionalProperties || null));
        return this.resolved(next === true ? null : next);
      });
    return { found, finder: this };
  }
}

// The forms that a mapping with these keys can have: of a layer, those of its operation.
function formsOf({ found, finder }, keys) {
  const chosen = found
    .flatMap((one) => one.allOf ?? [])
    .filter((one) => one.if?.required?.every((key) => keys.includes(key)))
    .flatMap((one) => finder.resolved(one.then));
  return chosen.length ? chosen : found;
}

function keysOf(place, { keys }) {
  const properties = Object.assign({}, ...formsOf(place, keys).map((one) => one.properties ?? {}));
  return Object.entries(properties)
    .filter(([name]) => !keys.includes(name))
    .map(([name, about]) => ({ label: name, apply: `${name}: `, type: "property", ...told(about) }));
}

function valuesOf(place, key) {
  const forms = place.finder.at([]).finder;
  const values = place.found.flatMap((one) => [
    ...(one.properties?.[key] ? [one.properties[key]] : []),
    ...(one.allOf ?? []).map((each) => forms.resolved(each.then)[1]?.properties?.[key]).filter(Boolean),
  ]);
  const words = values.flatMap((one) => forms.resolved(one)).flatMap((one) => [...(one.enum ?? []), ...worded(one), ...(one.default === undefined ? [] : [one.default])]);
  return [...new Set(words.filter((one) => ["string", "number", "boolean"].includes(typeof one)).map(String))].map((label) => ({
    label,
    type: "enum",
  }));
}

// The words that a description names as values.
function worded({ type, description = "" }) {
  const truths = type === "boolean" || description.startsWith("true or false") ? [true, false] : [];
  return [...truths, ...[...description.matchAll(/`([a-z_]+)`(?=,| or |$)/g)].map((one) => one[1])];
}

function told(about) {
  const text = about.description ?? "";
  return { detail: text.split("\n")[0].slice(0, 70), info: text.includes("\n") ? text : undefined };
}
