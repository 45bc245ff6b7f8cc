// A number with a bar as long as its share: the number says it, the bar shows it.
import { h } from "./dom.js";
import { fraction, full, percent } from "./numbers.js";

export const amountText = (value, complete) => (value || !complete ? `${complete ? "" : ">= "}${full(value)}` : "-");

export function amount(value, total, complete = true) {
  const text = amountText(value, complete);
  return h("td", { class: "number bar", "--share": Math.min(fraction(value, total), 1).toFixed(5) }, h("span", {}, text));
}

export const share = (value, total) => h("td", { class: "number quiet" }, percent(value, total));
