// What the server wrote into the page for scripts: who is logged in, the language, and the texts.

const box = document.querySelector("#for-scripts");

/** {account, csrf, lang, words}; empty on pages for nobody in particular. */
export const page = box ? JSON.parse(box.textContent) : { lang: "zh", words: {} };

/** A text of the page, with its values put in: t("left", {n: 3}). */
export function t(name, values = {}) {
  const text = page.words[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** A text of the rules in the language of the page. */
export const say = (words) => (words ? (typeof words === "string" ? words : words[page.lang] ?? words.zh) : "");

/** An element: h("p", {class: "small", onclick}, "text", child…). Text is always text, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A moment as people say it, by this phone's clock. */
export function moment(at) {
  const options = { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Date(at).toLocaleString(page.lang === "en" ? "en-GB" : "zh-CN", options);
}
