// Every tap of a form page is kept on the phone at once, and sent in the background. The page itself works as before:
// its buttons post what is not kept here. Also: hints and the provisional grade while tapping, and what the network does.

import * as store from "./store.js";
import * as sender from "./sender.js";
import { h, moment, page, say, t } from "./words.js";

const KEPT = /^(item|setting|fact|note|cannot)\.(.+)$/;
const PARTS = { item: "answers", setting: "settings", fact: "facts", note: "remarks", cannot: "remarks" };
const TYPING = 600;
const MOST_PATIENCE = 4000;

/** A stored or typed value as the form's fields hold it: one text, or the ticked ones. */
export function asTexts(part, value) {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.length ? value.map(String) : ["-none-"];
  if (value === true) return [part === "facts" ? "yes" : "True"];
  if (value === false) return [part === "facts" ? "no" : "False"];
  return [String(value)];
}

/** Whether a field says something else than the page did when it came. */
function touched(field) {
  if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const options = [...field.options];
  return field.value !== (options.find((option) => option.defaultSelected) ?? options[0])?.value;
}

/** A form of one visit whose answers are kept as they are given. */
export class Autosave {
  /**
   * @param {HTMLFormElement} form with data-visit, data-version, data-instrument
   * @param {object} options {content: a draft that is known already, away: where to go on without a network}
   */
  constructor(form, { content = null, away = null } = {}) {
    Object.assign(this, { form, content, away });
    this.visit = form.dataset.visit;
    this.instrument = form.dataset.instrument;
    this.version = Number(form.dataset.version);
    this.account = page.account;
    this.tab = store.tabName();
    this.written = Promise.resolve();
    this.refused = new Set();
    this.net = h("p", { class: "net", role: "status", hidden: true });
    (document.querySelector(".progress") ?? form).after(this.net);
    this.level = h("p", { class: "level", "aria-live": "polite", hidden: true });
    this.net.after(this.level);
  }

  /** Begin: false where this browser can keep nothing. */
  async start() {
    const { form } = this;
    if (!(await store.works())) {
      this.show(t("net_c"), "open");
      return false;
    }
    form.dataset.autosave = "sent";
    this.sayOwn();
    // Before the page's own listeners: the answer is sealed while the page counts. Boxes come after them, since "none"
    // and the others take one another's ticks away.
    const boxes = (event) => event.target.type === "checkbox";
    form.addEventListener("change", (event) => boxes(event) || this.changed(event.target, event.timeStamp), { capture: true });
    form.addEventListener("change", (event) => boxes(event) && this.changed(event.target, event.timeStamp));
    form.addEventListener("input", (event) => this.typing(event.target));
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.changed(document.activeElement));
    sender.listen((news) => this.heard(news));
    const left = await store.unsent(this.visit);
    const old = left.filter((record) => record.kind === "changes" && record.state === "waiting" && record.tab !== this.tab);
    this.capture();
    for (const record of left) if (!old.includes(record)) this.overlay(record);
    if (old.length) this.askToResume(old);
    this.refresh();
    return true;
  }

  // -- keeping ---------------------------------------------------------------------------------------------

  place(name) {
    const [, kind, id] = name?.match(KEPT) ?? [];
    if (!kind) return null;
    return kind === "fact" ? ["facts", id] : [PARTS[kind], this.instrument, id];
  }

  /** The fields of one name. */
  fields(name) {
    const found = this.form.elements.namedItem(name);
    return found instanceof RadioNodeList ? [...found] : found ? [found] : [];
  }

  /** What the fields of one name say now. */
  read(name) {
    const [, kind, id] = name.match(KEPT);
    if (PARTS[kind] === "remarks") {
      const text = (field) => this.form.elements[`${field}.${id}`]?.value.trim() ?? "";
      return { note: text("note"), cannot: text("cannot") };
    }
    const fields = this.fields(name);
    const [{ type }] = fields;
    if (type === "checkbox") {
      const ticked = fields.filter((field) => field.checked).map((field) => field.value);
      return ticked.length ? ticked.filter((value) => value !== "-none-") : null;
    }
    const value = type === "radio" ? fields.find((field) => field.checked)?.value : fields[0].value.trim();
    return value || null;
  }

  changed(field, since = null) {
    const where = field && this.form.contains(field) && this.place(field.name);
    if (!where) return;
    clearTimeout(this.timer);
    const value = this.read(field.name);
    const text = JSON.stringify(value);
    if (field.dataset.kept === text) return;
    for (const error of field.closest(".q")?.querySelectorAll("[data-refused]") ?? []) error.remove();
    for (const each of this.fields(field.name)) each.dataset.kept = text;
    // An answer takes back the reason why there was none.
    const reason = where[0] === "answers" && value !== null && this.form.elements[`cannot.${where[2]}`];
    if (reason) reason.value = "";
    // And the other way round.
    if (where[0] === "remarks" && value.cannot) {
      for (const each of this.fields(`item.${where[2]}`)) each.type === "radio" ? (each.checked = false) : (each.value = "");
      this.form.dispatchEvent(new Event("input"));
    }
    this.keep(where, value, since);
  }

  /** Keep what was tapped before this script was there, or put back by the browser without a word. */
  capture() {
    for (const field of this.form.elements) {
      if (field.dataset.kept === undefined && this.place(field.name) && touched(field)) this.changed(field);
    }
  }

  typing(field) {
    if (!["text", "textarea", "date"].includes(field.type) || !this.place(field.name)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed(field), TYPING);
  }

  /** Keep one value; `written` resolves once it cannot be lost any more. */
  keep(where, value, since = null) {
    const { visit, account, tab, version: base } = this;
    const content = sender.shaped(where, value);
    // Whoever leaves the page now has it posted by the page itself, too.
    this.form.dataset.autosave = "waiting";
    const added = store.add({ visit, account, kind: "changes", base, tab, content });
    this.written = Promise.all([this.written.catch(() => {}), added]);
    added.then(
      () => {
        // Timed from the finger to the moment at which the answer is on the phone's disk and on the screen.
        if (since !== null) performance.measure("yyassess:tap", { start: since, end: performance.now() });
        if (this.content) store.fill(this.content, content);
        if (!this.held) sender.sendSoon();
        this.regrade();
      },
      () => this.show(t("not_kept"), "bad"),
    );
  }

  // -- showing what is known elsewhere ---------------------------------------------------------------------

  /** Put values into the page's fields: {answers, settings, facts}. */
  put(values) {
    const set = (kind, table = {}) => {
      for (const [id, value] of Object.entries(table)) {
        const fields = this.fields(`${kind}.${id}`);
        const texts = asTexts(PARTS[kind], value);
        for (const field of fields) {
          if (field.type === "radio" || field.type === "checkbox") field.checked = texts.includes(field.value);
          else field.value = texts[0] ?? "";
          field.dataset.kept = JSON.stringify(value);
        }
      }
    };
    set("item", values.answers?.[this.instrument]);
    set("setting", values.settings?.[this.instrument]);
    set("fact", values.facts);
    for (const [id, remark] of Object.entries(values.remarks?.[this.instrument] ?? {})) {
      for (const kind of ["note", "cannot"]) {
        const field = this.form.elements[`${kind}.${id}`];
        if (field) Object.assign(field, { value: remark?.[kind] ?? "" }).dataset.kept = JSON.stringify(remark);
      }
    }
    this.form.dispatchEvent(new Event("input"));
  }

  overlay({ content, state, faults }) {
    if (!content) return;
    this.put(state === "conflict" ? content.mine : content);
    if (state === "refused") for (const fault of faults ?? []) this.tellFault(fault);
  }

  heard(news) {
    if (news.kind === "queue") this.status(news);
    if (news.visit !== this.visit) return;
    if (news.kind === "saved") this.sayOwn();
    if (news.kind === "refused") for (const fault of news.faults) this.tellFault(fault);
    if (news.version) this.version = Math.max(this.version, news.version);
    if (news.theirs && sender.count(news.theirs)) {
      this.put(news.theirs);
      if (this.content) store.fill(this.content, news.theirs);
      this.regrade();
    }
  }

  /** What the server refused is said at its question, and posted by the form's button. */
  tellFault({ where, say: words }) {
    this.refused.add(where.join("."));
    const field = [...this.form.elements].find((each) => String(this.place(each.name)) === String(where));
    const question = field?.closest(".q");
    // The page that the server sent may say it already.
    if (question?.querySelector(".q__error")) return;
    question?.querySelector(".q__title")?.after(h("p", { class: "q__error", "data-refused": true, role: "alert" }, say(words)));
  }

  status({ state, waiting, conflicts, refused }) {
    if (this.held) return;
    const back = encodeURIComponent(location.pathname);
    if (conflicts) this.show([t("conflicts", { n: conflicts }), " ", h("a", { href: "/outbox" }, t("choose"))], "bad");
    else if (refused) this.show([t("refused", { n: refused }), " ", h("a", { href: "/outbox" }, t("look"))], "bad");
    else if (state === "login") this.show([t("login"), " ", h("a", { href: `/login?back=${back}` }, t("log_in"))], "bad");
    else if (!waiting) this.show(`✓ ${t("saved")}`, "good");
    if (!waiting && state === "sent") this.markSent();
    if (!waiting || conflicts || refused || state === "login") return;
    if (state === "offline" || !navigator.onLine) this.show(t(navigator.serviceWorker?.controller ? "net_a" : "net_b", { n: waiting }), "open");
    else this.show(t("sending", { n: waiting }), "open");
  }

  show(content, kind) {
    this.net.className = `net net_${kind}`;
    this.net.replaceChildren(...[content].flat());
    this.net.hidden = false;
  }

  // -- going on with what an earlier visit to the page left here ---------------------------------------------

  askToResume(old) {
    sender.hold(this.visit);
    this.held = true;
    const settle = async (work) => {
      await work();
      panel.remove();
      this.held = false;
      sender.hold(this.visit, false);
      sender.send();
    };
    const mine = () => settle(() => old.forEach((record) => this.overlay(record)));
    const theirs = () => settle(() => store.replace(old.map((record) => record.seq), []).then(() => location.reload()));
    const who = h("span", {}, this.content?.person.name ?? "");
    const n = old.reduce((sum, record) => sum + sender.count(record.content ?? {}), 0);
    const panel = h(
      "section",
      { class: "panel resume", "aria-label": t("resume_title") },
      h("h2", { class: "panel__title" }, t("resume_title")),
      h("p", {}, t("resume", { n, at: moment(old.at(-1).at) })),
      h("p", {}, who, " ", (this.answered = h("span", {}))),
      h("div", { class: "buttons" },
        h("button", { type: "button", class: "weui-btn weui-btn_primary", onclick: mine }, t("resume_mine")),
        h("button", { type: "button", class: "weui-btn weui-btn_default", onclick: theirs }, t("resume_theirs"))),
    );
    this.resumeName = who;
    this.form.before(panel);
  }

  // -- grading on the phone ------------------------------------------------------------------------------------

  /** Fetch the whole draft, keep it for times without a network, and get the rules ready. */
  async refresh() {
    try {
      if (!this.content) {
        const draft = await sender.get(`/api/visits/${this.visit}`);
        await store.keepDraft(this.account, draft);
      }
    } catch (stop) {
      if (stop.state === "gone") return;
    }
    const here = await store.current(this.visit);
    if (!here) return;
    this.content = here.content;
    if (this.resumeName) {
      this.resumeName.textContent = here.content.person.name;
      const mine = here.content.sheets?.find((sheet) => sheet.instrument === this.instrument) ?? here.content.sheets?.[0];
      if (mine) this.answered.textContent = t("n_of", { n: mine.answered, total: mine.total });
    }
    try {
      this.grading = await import("./grading.js");
      this.files = await this.grading.files(here.content.files);
      this.regrade();
    } catch {
      // Without the rules the page still saves; the server grades.
    }
  }

  regrade() {
    if (!this.files || !this.content || this.waiting) return;
    this.waiting = true;
    const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 60));
    idle(() => {
      this.waiting = false;
      const result = this.grading.graded(this.files, this.content, this.instrument);
      this.result = result;
      if (result) this.tellGrade(result);
      this.form.dispatchEvent(new CustomEvent("yyassess:graded", { detail: result }));
    }, { timeout: 500 });
  }

  tellGrade(result) {
    for (const old of this.form.querySelectorAll(".q__warning")) old.remove();
    for (const hint of result.hints) {
      for (const item of hint.items ?? []) {
        const question = this.form.querySelector(`#item-${CSS.escape(item)}, #fact-${CSS.escape(item.replace(/[._]/g, "-"))}`);
        const title = question?.querySelector(".q__title");
        title?.after(h("p", { class: "q__warning" }, h("b", {}, t(hint.severity === "block" ? "contradiction" : hint.severity === "safety" ? "act" : "look_here")), " ", say(hint.say)));
      }
    }
    const { grade, bounds } = result;
    const levels = new Map((this.files.rules.instruments[this.instrument].levels ?? []).map((level) => [level.level, level]));
    const text = grade
      ? t("provisional", { grade: say(grade.name) })
      : bounds ? t("possible", { best: say(levels.get(bounds.best)?.name), worst: say(levels.get(bounds.worst)?.name) }) : "";
    if (this.level.textContent !== text) this.level.textContent = text;
    this.level.hidden = !text;
  }

  // -- leaving the page ----------------------------------------------------------------------------------------

  /** All that the fields say is kept and, if the network allows, sent: "sent", "offline", "login" or "later". */
  async settle() {
    this.capture();
    await this.written;
    if (this.held) return "held";
    const late = new Promise((done) => setTimeout(() => done({ state: "offline" }), MOST_PATIENCE));
    for (let turn = 0; turn < 20; turn++) {
      const { state } = await Promise.race([sender.send(), late]);
      // The round that was under way may have begun before the last tap.
      if (state !== "elsewhere" && !(state === "sent" && (await this.waits()))) return state;
      await new Promise((done) => setTimeout(done, 200));
    }
    return "later";
  }

  /** Whether something of this page still waits that can be sent: what cannot be opened any more never will be. */
  async waits() {
    const left = await store.unsent(this.visit);
    return left.some((record) => record.state === "waiting" && record.account === this.account && record.content);
  }

  /** News of an empty queue may be older than the last tap: only what lies on the disk now says that all is sent. */
  async markSent() {
    const { written } = this;
    await written.catch(() => {});
    if (!(await this.waits()) && written === this.written) this.form.dataset.autosave = "sent";
  }

  /** Tell the server which versions since the page was made are this phone's own. */
  async sayOwn() {
    const own = (await store.draftOf(this.visit))?.own ?? [];
    const field = this.form.elements.own ?? this.form.appendChild(h("input", { type: "hidden", name: "own" }));
    field.value = JSON.stringify(own);
  }

  /** What the server refused, by the queue itself: the news of it may still be on its way. */
  async noteRefused() {
    for (const record of await store.unsent(this.visit)) {
      if (record.state !== "refused" || record.kind !== "changes" || !record.content) continue;
      for (const where of sender.placesOf(record.content)) this.refused.add(where.join("."));
    }
  }

  /** Let the form post only what is not kept here: a stale page must not put old answers back. */
  leaveOut() {
    for (const field of [...this.form.elements]) {
      const name = field.name === "shown" ? field.value : field.name;
      const where = this.place(name);
      if (where && !this.refused.has(where.join(".")) && !field.closest(".q_wrong")) field.disabled = true;
    }
    addEventListener("pageshow", () => {
      for (const field of this.form.elements) field.disabled = false;
    });
  }

  /** The form's buttons: first everything is kept, then the page is left by the way the button says. */
  takeButtons() {
    let passing = false;
    this.form.addEventListener("submit", async (event) => {
      if (passing) return;
      const nothing = this.form.dataset.autosave === "sent" && !this.held && navigator.onLine !== false;
      if (nothing && ![...this.form.elements].some((f) => f.dataset.kept === undefined && this.place(f.name) && touched(f))) {
        this.leaveOut();
        return;
      }
      event.preventDefault();
      const { submitter } = event;
      delete this.form.dataset.sent;
      if (this.leaving) return;
      this.leaving = true;
      const state = await this.settle().catch(() => "failed");
      this.leaving = false;
      if ((["offline", "later"].includes(state) || navigator.onLine === false) && this.away) {
        const way = this.away(submitter?.value ?? "next");
        if (way) location.assign(way);
        else this.show(t("net_b_stay"), "open");
        return;
      }
      passing = true;
      await this.sayOwn();
      if (state === "sent") {
        await this.noteRefused();
        this.leaveOut();
      }
      this.form.requestSubmit(submitter);
      passing = false;
    });
  }
}
