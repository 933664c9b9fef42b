// The page for times without a network: the drafts kept on this phone, their questions drawn from the rules, every tap
// kept like on the server's pages, the provisional result, and new visits. What stands behind # says what is shown.

import * as store from "./store.js";
import * as sender from "./sender.js";
import { Autosave } from "./autosave.js";
import { pagesOf, question, remark, valueOf } from "./drawing.js";
import { files as load, graded, pointless } from "./grading.js";
import { newVisit } from "./newvisit.js";
import { paced } from "./pace.js";
import { resultOf } from "./result.js";
import { h, moment, page, say, t } from "./words.js";

const main = document.querySelector("#view");
const title = (text) => h("h1", { class: "page-title" }, text);
const button = (text, work, kind = "default") => h("button", { type: "button", class: `weui-btn weui-btn_${kind}`, onclick: work }, text);
const go = (path) => (location.hash === `#${path}` ? show() : (location.hash = path));

async function show() {
  const [path, query = ""] = decodeURIComponent(location.hash.slice(1)).split("?");
  const wish = new URLSearchParams(query).get("go");
  const [, visit, rest = ""] = path.match(/^\/visits\/([0-9a-f-]{36})\/?(.*)$/) ?? [];
  try {
    if (visit) await showVisit(visit, rest, wish);
    else if (path === "/visits/new") await newVisit(main, go);
    else await home();
  } catch (error) {
    console.warn(error);
    main.replaceChildren(title(t("drafts")), h("p", { class: "empty" }, t("no_rules")), button(t("records"), () => go("/")));
  }
  scrollTo(0, 0);
}

async function home() {
  const known = await store.note("session");
  const drafts = known ? (await store.allDrafts(known.account)).filter((draft) => draft.content.editable) : [];
  const line = ({ visit, at, content }) => {
    const [sheet] = content.sheets ?? [];
    return h("li", {}, h("a", { class: "card", href: `#/visits/${visit}` },
      h("span", { class: "who" }, content.person.name),
      h("span", { class: "card__about" }, `${content.visited_on} · ${content.number || t("new_visit")}`),
      h("span", { class: "card__foot" }, h("span", {}, sheet ? t("n_of", { n: sheet.answered, total: sheet.total }) : moment(at)), h("b", { class: "go" }, `${t("go_on")} ›`))));
  };
  main.replaceChildren(
    title(t("drafts")),
    known ? "" : h("p", { class: "notice" }, t("nobody")),
    drafts.length ? h("ul", { class: "cards" }, drafts.map(line)) : h("p", { class: "empty" }, t("no_drafts")),
    h("div", { class: "buttons" }, button(`＋ ${t("new")}`, () => go("/visits/new"), "primary")),
  );
}

async function showVisit(visit, rest, wish) {
  const here = await store.current(visit);
  if (!here) return home();
  const { content } = here;
  page.account ??= here.account;
  const files = await load(content.files);
  const pages = pagesOf(files.form, content);
  const at = (path) => pages.findIndex((each) => each.path === path);
  const place = at(rest);
  if (rest === "check" || rest === "result" || (place >= 0 && wish === "check")) return showResult(visit, content, files);
  if (place < 0) {
    const open = pages.find((each) => gaps(each, content, files) > 0);
    return go(`/visits/${visit}/${(open ?? pages[0])?.path ?? "result"}`);
  }
  const onward = { next: pages[place + 1]?.path ?? "result", back: pages[place - 1]?.path ?? "", leave: null }[wish];
  if (wish === "leave") return go("/");
  if (onward !== undefined) return go(`/visits/${visit}/${onward}`);
  showPage(visit, here, files, pages, place);
}

const states = (files, content, id) => {
  const result = graded(files, content, id);
  return { result, without: result ? pointless(files, content, id, result) : new Set() };
};

function gaps(each, content, files) {
  if (!each.dimension) return 0;
  const { without } = states(files, content, each.id);
  const open = (q) => q.counted && !without.has(q.name.slice(5)) && valueOf(content, each.id, q.name) === undefined;
  return each.questions.filter(open).length;
}

function showPage(visit, { content, version }, files, pages, place) {
  const { id, instrument, dimension, questions, groups } = pages[place];
  const { without } = states(files, content, id);
  const draw = (q) => question(q, valueOf(content, id, q.name), { pointless: without.has(q.name.slice(5)) && q.name.startsWith("item.") });
  const remarks = content.assessments.find((each) => each.instrument === id).remarks ?? {};
  const counted = instrument.pages.flatMap((each) => each.questions).filter((q) => q.counted && !without.has(q.name.slice(5)));
  const here = new Set((dimension ? questions : []).map((q) => q.name));
  const elsewhere = counted.filter((q) => !here.has(q.name) && valueOf(content, id, q.name) !== undefined).length;
  const folded = (group) =>
    h("details", { class: "more", id: `group-${group.id}` },
      h("summary", {}, group.code && h("span", { class: "q__code" }, `${group.code} `), group.name ? say(group.name) : t("more")),
      group.questions.map(draw));
  const form = h("form", { id: "page", "data-visit": visit, "data-version": version, "data-instrument": id, novalidate: true },
    questions.map((q) => [draw(q), dimension && remark(q, files.form.reasons, remarks[q.name.slice(5)])]),
    groups.filter((group) => group.main).flatMap((group) => group.questions.map(draw)),
    groups.some((group) => !group.main) && h("h2", { class: "section-title" }, t("basic")),
    groups.filter((group) => !group.main).map(folded),
    h("div", { class: "buttons" },
      h("button", { class: "weui-btn weui-btn_primary", name: "go", value: "next" }, `${t("next")} ›`),
      h("button", { class: "weui-btn weui-btn_default", name: "go", value: "back" }, `‹ ${t("back")}`),
      h("button", { class: "weui-btn weui-btn_default", name: "go", value: "check" }, t("to_result"))));
  const bar = h("progress", { class: "progress__bar", max: counted.length || 1, value: elsewhere, "aria-label": t("answered") });
  main.replaceChildren(
    h("p", { class: "lead" }, h("b", { class: "who" }, content.person.name), ` · ${say(instrument.short)} · ${t("page_of", { place: place + 1, places: pages.length })}`),
    title([dimension?.code && h("span", { class: "page-title__code" }, `${dimension.code} `), dimension ? say(dimension.name) : t("other_questions")]),
    h("div", { class: "progress", "data-elsewhere": elsewhere },
      h("div", { class: "progress__row" },
        h("span", {}, `${t("answered")} `, h("b", {}, h("span", { "data-count": true }, String(elsewhere)), ` / ${counted.length}`)),
        dimension ? h("a", { class: "gap", "data-gap": true, href: `#${form.id}`, hidden: true }, `${t("next_gap")} ↓`) : ""),
      bar),
    instrument.notice ? h("p", { class: "notice" }, say(instrument.notice)) : "",
    form,
  );
  form.dispatchEvent(new CustomEvent("yyassess:form", { bubbles: true }));
  paced(form);
  gapByTap();
  const autosave = new Autosave(form, { content });
  autosave.start();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    delete form.dataset.sent;
    // Nothing goes on before the last tap lies on the disk.
    await Promise.all([...form.elements].map((field) => field.type === "text" && autosave.changed(field)));
    await autosave.written;
    const wish = event.submitter?.value ?? "next";
    go(`/visits/${visit}/${pages[place].path}?go=${wish}`);
  });
}

/** Links within the page move the page; the address names the view. */
function gapByTap() {
  main.querySelector("[data-gap]")?.addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById(new URL(event.currentTarget.href).hash.slice(1))?.scrollIntoView();
  });
}

function showResult(visit, content, files) {
  const pages = pagesOf(files.form, content);
  main.replaceChildren(
    h("p", { class: "lead" }, h("b", { class: "who" }, content.person.name), ` · ${content.visited_on}`),
    title(t("result")),
    ...resultOf(files, content).flat(2).filter(Boolean),
    h("div", { class: "buttons" },
      button(`‹ ${t("back")}`, () => go(`/visits/${visit}/${pages.at(-1)?.path ?? ""}`)),
      button(t("records"), () => go("/"))),
  );
}

/** When the network is back: everything is sent, and the way to the server's page is shown. */
function online(news) {
  if (news.kind !== "queue") return;
  const back = document.querySelector("#back");
  back.hidden = news.state !== "sent" || !navigator.onLine;
  const [, visit] = location.hash.match(/^#\/visits\/([0-9a-f-]{36})/) ?? [];
  const link = back.querySelector("a");
  link.href = visit ? `/visits/${visit}/check` : "/";
  link.textContent = t(visit ? "to_server" : "records");
}

async function start() {
  if (!(await store.works())) {
    main.replaceChildren(title(t("drafts")), h("p", { class: "notice" }, t("net_c")));
    return;
  }
  const known = await store.note("session");
  if (known) page.account = known.account;
  sender.listen(online);
  addEventListener("hashchange", show);
  await show();
  sender.ask().then(
    ({ account }) => {
      page.account = account;
      sender.send();
    },
    () => {},
  );
  addEventListener("online", () => sender.send());
}

start();
