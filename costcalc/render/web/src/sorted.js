// Headings that sort: a button in each, and the order said to all readers by `aria-sort`.
import { h } from "./dom.js";

// `order` is `name` or `-name`, largest first; `change` gets the next one.
export function heading(title, name, order, change, number, more) {
  const now = order === name ? "ascending" : order === `-${name}` ? "descending" : "none";
  const next = number
    ? now === "descending"
      ? name
      : now === "ascending"
        ? ""
        : `-${name}`
    : now === "ascending"
      ? `-${name}`
      : now === "descending"
        ? ""
        : name;
  const sign = now === "ascending" ? "▲" : now === "descending" ? "▼" : "";
  const mark = h("span", { class: "sign", "aria-hidden": "true" }, sign);
  return h(
    "th",
    { scope: "col", class: number ? "number" : null, "aria-sort": now, ...more },
    h("button", { type: "button", class: "sort", "data-key": `sort ${name}`, onclick: () => change(next) }, title, mark),
  );
}

export function compared(one, other) {
  if (typeof one === "string" || typeof other === "string") return String(one).localeCompare(String(other), "en", { numeric: true });
  return one < other ? -1 : one > other ? 1 : 0;
}

export function ordered(items, order, value) {
  if (!order) return items;
  const down = order.startsWith("-");
  const name = down ? order.slice(1) : order;
  const keyed = items.map((item, index) => [value(item, name), index, item]);
  keyed.sort((a, b) => (down ? -1 : 1) * compared(a[0], b[0]) || a[1] - b[1]);
  return keyed.map((each) => each[2]);
}
