// Elements without markup: every text from outside is a text node, whatever it says.

const SVG = document.getElementById("ns").namespaceURI;

const kept = (children) => children.flat(9).filter((child) => child !== null && child !== undefined && child !== false);

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kept(children));
  return node;
}

export const h = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

// A labelled choice. `options` are [value, text].
export function choice(label, options, value, change) {
  const items = options.map(([key, text]) => h("option", { value: key, selected: key === value }, text));
  return h("label", { class: "choice" }, h("span", {}, label), h("select", { onchange: (event) => change(event.target.value) }, items));
}

export function check(label, on, change) {
  return h(
    "label",
    { class: "check" },
    h("input", { type: "checkbox", checked: on, onchange: (event) => change(event.target.checked) }),
    label,
  );
}

export const button = (text, click, more) => h("button", { type: "button", onclick: click, ...more }, text);

// Put new children into an element; what has the focus keeps it, found again by its `data-key`.
export function fill(root, ...children) {
  const key = root.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const scrolled = [...root.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
  root.replaceChildren(...kept(children));
  root.querySelectorAll(".scroll").forEach((one, index) => scrolled[index] && ([one.scrollLeft, one.scrollTop] = scrolled[index]));
  const same = key !== undefined && [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  if (same) same.focus({ preventScroll: true });
  if (same && same.type === "search") same.setSelectionRange(same.value.length, same.value.length);
}
