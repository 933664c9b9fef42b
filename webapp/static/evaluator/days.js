// Civil days as texts "YYYY-MM-DD": they compare in the order of the calendar, and no time zone touches them.

const WRITTEN = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const LONG = [1, 3, 5, 7, 8, 10, 12];

const leap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

function monthDays(year, month) {
  if (month === 2) return leap(year) ? 29 : 28;
  return LONG.includes(month) ? 31 : 30;
}

const split = (day) => [Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10))];

function written(year, month, day) {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Whether a value is a day that exists, written YYYY-MM-DD. */
export function isDay(value) {
  if (typeof value !== "string" || !WRITTEN.test(value)) return false;
  const [year, month, day] = split(value);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= monthDays(year, month);
}

/** Whole years lived on a day; who was born on 29 February turns a year older on 1 March. */
export function ageOn(birth, day) {
  const [born, on] = [split(birth), split(day)];
  return on[0] - born[0] - (day.slice(5) < birth.slice(5) ? 1 : 0);
}

/** Whole months from one day to another, negative when that lies earlier. */
export function monthsBetween(start, day) {
  if (day < start) return -monthsBetween(day, start) || 0;
  const [from, to] = [split(start), split(day)];
  return (to[0] - from[0]) * 12 + to[1] - from[1] - (to[2] < from[2] ? 1 : 0);
}

/** The same day some months later; the last day of a month that is too short. */
export function addMonths(text, months) {
  const [year, month, day] = split(text);
  const count = year * 12 + month - 1 + months;
  const [y, m] = [Math.floor(count / 12), (count % 12) + 1];
  return written(y, m, Math.min(day, monthDays(y, m)));
}

/** Some days later, or earlier. */
export function addDays(text, days) {
  let [year, month, day] = split(text);
  day += days;
  while (day < 1) {
    [year, month] = month === 1 ? [year - 1, 12] : [year, month - 1];
    day += monthDays(year, month);
  }
  while (day > monthDays(year, month)) {
    day -= monthDays(year, month);
    [year, month] = month === 12 ? [year + 1, 1] : [year, month + 1];
  }
  return written(year, month, day);
}
