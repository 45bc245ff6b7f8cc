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

// Where the cursor is: the path of the mapping, the keys it has already, the key whose value is written, the word so far.
function placeOf(before, line) {
  const inside = flow(line);
  const word = /[\w.-]*$/.exec(line)[0];
  const outer = blockPath(before, line);
  const text = inside ? inside.text : line.replace(/^\s*(- +)*/, "");
  const item = inside ? /(?:^|,)\s*([\w.-]+):\s*[\w.-]*$/.exec(text) : /^([\w.-]+):\s+[\w.-]*$/.exec(text);
  const bare = inside ? /(?:^|,)\s*[\w.-]*$/.test(text) : /^[\w.-]*$/.test(text);
  if (!item && !bare) return null;
  const keys = [...text.matchAll(/(?:^|,)\s*([\w.-]+):/g)].map((one) => one[1]);
  const path = inside ? [...outer, ...inside.path] : outer;
  return { path, keys: inside ? keys : [...keys, ...outer.keys], key: item ? item[1] : null, word };
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

// The keys and list items that enclose a line, by its indentation.
function blockPath(before, line) {
  const lines = before.split("\n").slice(0, -1);
  const path = [];
  path.keys = [];
  let column = /^[\s-]*/.exec(line)[0].length;
  for (let dash = line.lastIndexOf("- ", column); dash >= 0 && /^[\s-]*$/.test(line.slice(0, dash)); dash = line.lastIndexOf("- ", dash - 1)) {
    path.unshift(0);
    column = dash;
    if (dash === 0) break;
  }
  for (let at = lines.length - 1; at >= 0 && (column > 0 || path[0] === 0); at--) {
    const [, spaces, dashes, key] = /^(\s*)((?:- +)*)([\w.-]+:(?=\s|$))?/.exec(lines[at]);
    if (!lines[at].trim() || lines[at].trim().startsWith("#")) continue;
    const start = spaces.length + dashes.length;
    const isItem = path[0] === 0;
    if (key && (start < column || (isItem && start === column))) {
      path.unshift(key.slice(0, -1));
      column = start;
    } else if (key && start === column && !path.length) path.keys.push(key.slice(0, -1));
    if (dashes && start <= column && path[0] !== undefined && spaces.length < column) {
      path.unshift(...Array(dashes.split("-").length - 1).fill(0));
      column = spaces.length;
    }
  }
  return path;
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
  const words = values.flatMap((one) => forms.resolved(one)).flatMap((one) => one.enum ?? (one.type === "boolean" ? [true, false] : []));
  return [...new Set(words.filter((one) => ["string", "number", "boolean"].includes(typeof one)).map(String))].map((label) => ({
    label,
    type: "enum",
  }));
}

function told(about) {
  const text = about.description ?? "";
  return { detail: text.split("\n")[0].slice(0, 70), info: text.includes("\n") ? text : undefined };
}
