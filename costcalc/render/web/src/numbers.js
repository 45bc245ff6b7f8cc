// Whole numbers stay whole: those past 2^53 come as texts and are BigInt here.

export const exact = (value) => (typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value);

export function sum(values) {
  let total = 0;
  let big = null;
  for (const value of values) {
    if (big === null && typeof value === "number" && (Number.isSafeInteger(total + value) || !Number.isInteger(value))) total += value;
    else big = (big ?? BigInt(Math.trunc(total))) + BigInt(value);
  }
  return big === null ? total : big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
}

export const most = (values) => values.reduce((one, other) => (other > one ? other : one), 0);

// `568,740,352`
export function full(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && !Number.isInteger(value)) return String(+value.toPrecision(10));
  return typeof value === "number" || typeof value === "bigint" ? value.toLocaleString("en-US") : String(value);
}

const COUNTS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
const BYTES = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
];

// `569 M`, `4.59 MiB`: three digits, for a glance; the exact number stands beside it.
export function short(value, unit) {
  const number = Number(value);
  for (const [scale, name] of unit === "B" ? BYTES : COUNTS) {
    if (Math.abs(number) >= scale) return `${digits(number / scale)} ${name}`;
  }
  return `${Number.isInteger(number) ? number : digits(number)}${unit === "B" ? " B" : ""}`;
}

function digits(value) {
  const places = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return value.toFixed(places);
}

export function percent(part, whole) {
  const share = Number(whole) ? (100 * Number(part)) / Number(whole) : 0;
  return share ? `${share.toFixed(2)} %` : "-";
}

export const fraction = (part, whole) => (Number(whole) ? Number(part) / Number(whole) : 0);

export function ratio(part, whole) {
  const found = fraction(part, whole);
  return !found
    ? ""
    : found >= 100
      ? `${found.toFixed(0)}x`
      : found >= 9.995
        ? `${found.toFixed(1)}x`
        : `${found.toFixed(found < 0.1 ? 3 : 2)}x`;
}
