// Small comforts on top of pages that work without any script: a running count, the next open question,
// the identity number checked while it is typed, answers kept when the page is left sideways.

let form = document.querySelector("#page");

function answered(question) {
  return [...question.querySelectorAll("input, textarea, select")].some((field) =>
    field.type === "radio" || field.type === "checkbox" ? field.checked : field.type !== "hidden" && field.value.trim() !== "",
  );
}

function count(event) {
  const box = document.querySelector(".progress");
  if (!box) return;
  const questions = [...document.querySelectorAll("[data-counted]")];
  // A tap changes its own question only.
  const touched = event?.target?.closest?.("[data-counted]");
  for (const question of touched ? [touched] : questions) question.classList.toggle("q_answered", answered(question));
  const open = questions.filter((question) => !question.classList.contains("q_answered"));
  const done = Number(box.dataset.elsewhere) + questions.length - open.length;
  box.querySelector("[data-count]").textContent = done;
  box.querySelector("progress").value = done;
  const gap = box.querySelector("[data-gap]");
  if (!gap) return;
  gap.hidden = open.length === 0;
  // Where things stand on the screen is looked up when the screen is drawn: measuring now would hold up the tap.
  if (open.length) requestAnimationFrame(() => aim(box, gap, open));
}

/** The next open question below the header bar, else the first of the page. */
function aim(box, gap, open) {
  const edge = box.getBoundingClientRect().bottom + 8;
  const below = open.find((question) => question.getBoundingClientRect().top > edge);
  gap.href = `#${(below ?? open[0]).id}`;
}

function settleNone(event) {
  // "None" and the other boxes of a question exclude each other.
  const box = event.target;
  if (box.type !== "checkbox" || !box.checked || box.name === "instrument") return;
  for (const other of form.querySelectorAll(`input[name="${CSS.escape(box.name)}"]`)) {
    if (other !== box && ("clears" in box.dataset || "clears" in other.dataset)) other.checked = false;
  }
}

function watchNumber(field) {
  let asked = 0;
  const said = document.querySelector("#said");
  const wrong = document.querySelector("#citizen_id-error");
  const show = (element, text) => {
    element.textContent = text;
    element.hidden = !text;
  };
  const check = async () => {
    const number = field.value.replace(/\s/g, "");
    const mine = ++asked;
    // The number on record, masked: there is nothing to check.
    if (!number || number.includes("*")) {
      show(said, "");
      show(wrong, "");
      return;
    }
    const body = new FormData();
    body.set("citizen_id", number);
    body.set("visited_on", form.elements.visited_on.value);
    try {
      const answer = await fetch(field.dataset.check, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": form.elements.csrf_token.value, Accept: "application/json" },
      });
      if (!answer.ok || mine !== asked) return;
      const found = await answer.json();
      show(said, found.ok ? found.say : "");
      show(wrong, found.ok ? "" : found.say);
      field.setAttribute("aria-invalid", String(!found.ok));
      field.closest(".q").classList.toggle("q_wrong", !found.ok);
      if (found.ok) {
        form.elements.birth_date.value = found.birth_date;
        form.elements.sex.value = found.sex;
      }
    } catch {
      // No network: the server checks again when the page is sent.
    }
  };
  field.addEventListener("change", check);
  field.addEventListener("input", () => field.value.replace(/\s/g, "").length === 18 && check());
}

function keepAnswers() {
  // Leaving sideways (closing, the browser's own back button) saves what is on the page, as the buttons do.
  // Answers that autosave.js has sent already need no second way.
  let changed = false;
  form.addEventListener("change", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  const save = () => {
    if (!changed || form.dataset.autosave === "sent") return;
    // Without a network they wait in the phone's queue.
    if (form.dataset.autosave && navigator.onLine === false) return;
    changed = false;
    const body = new FormData(form);
    body.set("go", "stay");
    fetch(location.pathname, { method: "POST", body, keepalive: true, redirect: "manual" }).catch(() => (changed = true));
  };
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
}

function openTarget() {
  // A link to a question inside a closed part opens the part.
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  target.scrollIntoView();
}

function enliven() {
  form.addEventListener("change", settleNone);
  form.addEventListener("change", count);
  // Where something is chosen, the change comes at once after the input.
  form.addEventListener("input", (event) => ["radio", "checkbox"].includes(event.target.type) || count(event));
  count();
  const number = form.querySelector("[data-check]");
  if (number) watchNumber(number);
  if ("keep" in form.dataset) keepAnswers();
  // A second tap on a slow network must not send twice; the first button pressed still counts.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}

if (form) enliven();
addEventListener("scroll", () => form && requestAnimationFrame(count), { passive: true });
// A form that was drawn by a script.
document.addEventListener("yyassess:form", (event) => {
  form = event.target;
  enliven();
});
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
addEventListener("hashchange", openTarget);
openTarget();
// On paper, what stands folded is unfolded; afterwards it folds again.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll(".grade details:not([open]), .outcome_eligible details:not([open])")];
  for (const part of unfolded) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of unfolded) part.open = false;
});

// Logging out: whoever keeps something on this phone deletes it first. They are given two seconds.
for (const leaving of document.querySelectorAll("form[data-logout]")) {
  leaving.addEventListener("submit", async (event) => {
    event.preventDefault();
    const waits = [];
    const told = new CustomEvent("yyassess:logout", { detail: { waitFor: (promise) => waits.push(promise) } });
    document.dispatchEvent(told);
    await Promise.race([Promise.allSettled(waits), new Promise((done) => setTimeout(done, 2000))]);
    leaving.submit();
  });
}
