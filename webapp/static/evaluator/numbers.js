// Exact numbers. A whole number that a double holds exactly is a plain Number; every other one is a Dec. Each value has
// one form only, so that equal numbers are always written alike.

const WRITTEN = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]+))?$/;

/** n / 10^s, with the smallest s. */
export class Dec {
  constructor(n, s) {
    this.n = n;
    this.s = s;
  }

  toString() {
    const digits = (this.n < 0n ? -this.n : this.n).toString().padStart(this.s + 1, "0");
    const whole = digits.slice(0, digits.length - this.s);
    return (this.n < 0n ? "-" : "") + whole + (this.s ? "." + digits.slice(digits.length - this.s) : "");
  }

  toJSON() {
    return Number(this.toString());
  }
}

const power = (s) => 10n ** BigInt(s);

/** The number n / 10^s in its one form; s may be negative. */
function made(n, s) {
  if (s < 0) return made(n * power(-s), 0);
  while (s > 0 && n % 10n === 0n) {
    n /= 10n;
    s -= 1;
  }
  if (s === 0) {
    const whole = Number(n);
    if (Number.isSafeInteger(whole)) return whole;
  }
  return new Dec(n, s);
}

/** The number written in decimal digits (an exponent may follow); null when it is none. */
export function parsed(text) {
  const found = WRITTEN.exec(text);
  if (!found) return null;
  const [, sign, whole, fraction = "", exponent = "0"] = found;
  const n = BigInt(whole + fraction);
  return made(sign ? -n : n, fraction.length - Number(exponent));
}

/** A double as the decimal it is written as (0.1 is one tenth); null when it is not finite. */
export function exact(double) {
  if (Number.isSafeInteger(double)) return double === 0 ? 0 : double;
  return Number.isFinite(double) ? parsed(String(double)) : null;
}

export const isNumber = (value) => typeof value === "number" || value instanceof Dec;
/** How many decimals a number has. */
export const decimals = (value) => (value instanceof Dec ? value.s : 0);
export const isWhole = (value) => decimals(value) === 0;

const parts = (value) => (value instanceof Dec ? [value.n, value.s] : [BigInt(value), 0]);

function aligned(a, b) {
  const [m, r] = parts(a);
  const [n, s] = parts(b);
  const scale = Math.max(r, s);
  return [m * power(scale - r), n * power(scale - s), scale];
}

/** Below, at or above zero as a is below, at or above b. */
export function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [m, n] = aligned(a, b);
  return m < n ? -1 : m > n ? 1 : 0;
}

export function plus(a, b) {
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a + b)) return a + b;
  const [m, n, scale] = aligned(a, b);
  return made(m + n, scale);
}

export function minus(a, b) {
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a - b)) return a - b;
  const [m, n, scale] = aligned(a, b);
  return made(m - n, scale);
}

export function times(a, b) {
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a * b)) return a * b || 0;
  const [m, r] = parts(a);
  const [n, s] = parts(b);
  return made(m * n, r + s);
}

export const least = (values) => values.reduce((a, b) => (compared(b, a) < 0 ? b : a));
export const most = (values) => values.reduce((a, b) => (compared(b, a) > 0 ? b : a));
export const away = (a, b) => (compared(a, b) < 0 ? minus(b, a) : minus(a, b));

/** sum / count to some decimals, halves away from zero. */
export function meanOf(sum, count, places) {
  const [n, s] = parts(sum);
  const top = n * power(places) * 2n;
  const bottom = BigInt(count) * power(s);
  const size = top < 0n ? -top : top;
  const rounded = (size + bottom) / (2n * bottom);
  return made(top < 0n ? -rounded : rounded, places);
}

/** The largest multiple of 10^-places that is not above a. */
export function floored(a, places) {
  const [n, s] = parts(a);
  if (s <= places) return a;
  const unit = power(s - places);
  const rest = ((n % unit) + unit) % unit;
  return made(n - rest, s);
}

/** 10^-places. */
export const unit = (places) => made(1n, places);

/** As JSON has it. */
export const plainNumber = (value) => (value instanceof Dec ? value.toJSON() : value);
