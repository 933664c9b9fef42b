// One question at a time, for whoever prefers it. The page stays what it is: all but one of its questions are hidden, and
// what is answered is kept and sent as before. Without scripts a page shows all its questions.

import { h, t } from "./words.js";

const CHOICE = "pace";

function wanted() {
  try {
    return localStorage.getItem(CHOICE) === "item";
  } catch {
    return false;
  }
}

function remember(one) {
  try {
    localStorage.setItem(CHOICE, one ? "item" : "page");
  } catch {
    // It holds for this page, then.
  }
}

/** A question with what stands beneath it. */
function step(question) {
  const parts = [question];
  for (let next = question.nextElementSibling; next?.matches(".beneath, .remark"); next = next.nextElementSibling) parts.push(next);
  return parts;
}

/** Give a page of items the choice between all questions and one at a time. */
export function paced(form) {
  const questions = [...form.querySelectorAll(":scope > .q[id^='item-']")];
  if (questions.length < 2) return;
  const steps = questions.map(step);
  const last = steps.length - 1;
  const buttons = form.querySelector(":scope > .buttons");
  const pageBack = buttons.querySelector("[value=back]");
  let at = null;

  const show = (place) => {
    at = place;
    steps.forEach((parts, n) => parts.forEach((part) => (part.hidden = at !== null && n !== at)));
    where.textContent = at === null ? "" : t("question_of", { n: at + 1, m: steps.length });
    toggle.textContent = t(at === null ? "pace_item" : "pace_page");
    at === null ? ways.remove() : steps[last].at(-1).after(ways);
    onward.hidden = at === last;
    back.textContent = at === 0 ? pageBack.textContent : `‹ ${t("question_back")}`;
    // The page's own buttons stand under its last question.
    buttons.hidden = at !== null && at !== last;
  };
  /** Show a question, and lead eyes and screen readers to it. */
  const go = (place) => {
    show(place);
    questions[at].tabIndex = -1;
    questions[at].focus({ preventScroll: true });
    bar.scrollIntoView();
  };
  const named = () => questions.findIndex(({ id }) => `#${id}` === location.hash);
  const open = (n) => !questions[n].classList.contains("q_answered");
  const after = (place) => [...questions.keys()].map((n) => (n + place) % questions.length);
  const start = () => {
    const wrong = questions.findIndex((question) => question.matches(".q_wrong"));
    return [named(), wrong, after(0).find(open) ?? 0].find((n) => n >= 0);
  };

  const where = h("b", {});
  const toggle = h("button", { type: "button", class: "switch", onclick: () => {
    remember(at === null);
    if (at === null) return go(start());
    const here = questions[at];
    show(null);
    here.scrollIntoView();
  } });
  const bar = h("div", { class: "pace" }, where, toggle);
  const onward = h("button", { type: "button", class: "weui-btn weui-btn_primary", onclick: () => go(at + 1) }, `${t("question_next")} ›`);
  const back = h("button", { type: "button", class: "weui-btn weui-btn_default", onclick: () => (at ? go(at - 1) : pageBack.click()) });
  const ways = h("div", { class: "buttons pace__ways" }, onward, back);
  questions[0].before(bar);
  show(wanted() ? start() : null);

  // Links to a question show it.
  addEventListener("hashchange", () => at !== null && form.isConnected && named() >= 0 && go(named()));
  document.querySelector("[data-gap]")?.addEventListener("click", (event) => {
    if (at === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const next = after(at + 1).find(open);
    if (next !== undefined) go(next);
  }, { capture: true });
}
