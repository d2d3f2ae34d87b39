"use strict";

// The page is drawn by the server. This brings it up to date, and sends what people do.

const who = (element) => element.dataset.who || element.closest("[data-who]")?.dataset.who || "";
const generation = () => document.body.dataset.generation;

// ---- Bringing the page up to date ------------------------------------------------------------

let drawing = false;
let again = false;

async function draw() {
  if (drawing) { again = true; return; }
  drawing = true;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const lists = [...document.querySelectorAll("[data-bottom]")];
    const atBottom = new Set(lists.filter(isAtBottom).map(path));
    const opened = modals();
    const inside = document.activeElement?.closest(".scrim")?.id;
    const errors = new Set([...document.querySelectorAll(".error")].map((each) => each.id));
    morph(document.body, fresh.body);
    for (const list of document.querySelectorAll("[data-bottom]")) {
      if (atBottom.has(path(list)) || !lists.includes(list)) list.scrollTop = list.scrollHeight;
    }
    focusModal(opened);
    if (inside && document.activeElement === document.body) document.querySelector(`#${inside} .modal-body`)?.focus();
    focusError(errors);
    restoreDrafts();
  } catch { /* the server is away; the stream of events tells when it is back */ }
  drawing = false;
  if (again) { again = false; draw(); }
}

const path = (list) => list.closest(".pane")?.id + list.getAttribute("aria-label");
const isAtBottom = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 40;

// Change `old` into `fresh`, and keep what the person is using: focus, typed text, open menus.
function morph(old, fresh) {
  if (["told", "confirm"].includes(old.id)) return; // filled in here, not by the server
  for (const { name, value } of [...fresh.attributes]) {
    if (name === "open" && old.id) continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name === "open" && old.id) continue;
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old.matches("input, textarea, select")) { takeValue(old, fresh); if (!old.matches("select")) return; }
  const keyed = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let match = wanted.id ? keyed.get(wanted.id) : at;
    while (!wanted.id && match && match.id) match = match.nextSibling;
    if (match && match.nodeType === wanted.nodeType && match.nodeName === wanted.nodeName) {
      if (match !== at) old.insertBefore(match, at); else at = at.nextSibling;
      if (match.nodeType === Node.ELEMENT_NODE) { if (!match.isEqualNode(wanted) || dirty(match)) morph(match, wanted); }
      else if (match.data !== wanted.data) match.data = wanted.data;
    } else {
      old.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

const dirty = (element) => element.querySelector("input, textarea, select") !== null;

function takeValue(old, fresh) {
  if (old === document.activeElement || old.dataset.draft !== undefined) return;
  if (old.type === "checkbox") old.checked = fresh.hasAttribute("checked");
  else if (old.type !== "file" && old.matches("input")) old.value = fresh.getAttribute("value") ?? "";
  else if (old.matches("textarea")) old.value = fresh.textContent;
}

// ---- Sending what people do ------------------------------------------------------------------

const AWAY = "This page's server doesn't answer. Is “make play” still running?";

function tell(text) {
  const line = document.getElementById("told");
  line.textContent = text;
  line.hidden = !text;
}

async function post(url, fields) {
  const body = new URLSearchParams();
  body.append("generation", generation());
  for (const [name, value] of fields) body.append(name, value);
  try {
    const response = await fetch(url, { method: "POST", body });
    const answer = await response.json();
    if (answer.reload) location.reload();
    tell(response.ok || response.status === 409 ? "" : answer.error); // who it concerns is told of a 409
    return response.ok;
  } catch { tell(AWAY); return false; }
}

// Post what `element` stands for: its data attributes, after asking if it wants to be confirmed.
async function act(element, extra = []) {
  const { confirm, url, ...fields } = element.dataset;
  if (confirm && !(await confirmed(element, JSON.parse(confirm)))) return false;
  element.classList.add("pressed");
  if (url) url.startsWith("/") ? go(url) : window.open(url, "_blank", "noreferrer");
  const ok = await post("/act", [["who", who(element)], ...Object.entries(fields), ...extra]);
  element.classList.remove("pressed");
  draw();
  return ok;
}

function confirmed(button, words) {
  const dialog = document.getElementById("confirm");
  const fill = (id, text) => { document.getElementById(id).textContent = text; };
  fill("confirm-title", words.title?.text ?? "Are you sure?");
  fill("confirm-text", words.text?.text ?? "");
  fill("confirm-yes", words.confirm?.text ?? "Yes");
  fill("confirm-no", words.deny?.text ?? "No");
  document.getElementById("confirm-yes").className = `kit ${words.style ?? "primary"}`;
  const { left, right } = button.closest(".pane").getBoundingClientRect();
  Object.assign(dialog.style, { left: `${left}px`, right: `${innerWidth - right}px` }); // over who is asked
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (answer) => { dialog.onclose = null; dialog.close(); resolve(answer); };
    document.getElementById("confirm-yes").onclick = () => end(true);
    document.getElementById("confirm-no").onclick = () => end(false);
    dialog.onclose = () => resolve(false);
  });
}

function go(href) { history.pushState(null, "", href); draw(); }

document.addEventListener("click", (event) => {
  const element = event.target.closest("button[data-act], [data-copy], a[data-here]");
  if (!element) return;
  const link = element.closest("a[data-here]");
  if (link && (event.ctrlKey || event.metaKey)) return;
  if (link) { event.preventDefault(); go(link.getAttribute("href")); }
  if (element.dataset.copy) copy(element);
  else if (element.dataset.act) act(element);
  const menu = element.closest("details.tools");
  if (menu) menu.open = false;
});

function copy(button) {
  navigator.clipboard?.writeText(button.dataset.copy).catch(() => {});
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1200);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  if (form.dataset.direct) {
    const button = form.querySelector("button");
    button.disabled = true;
    post("/direct", [["direct", form.dataset.direct], ...new FormData(form)]).then(() => { button.disabled = false; draw(); });
  } else if (form.dataset.act) {
    clearTimeout(typing);
    const menu = form.closest("details.tools");
    if (menu) menu.open = false;
    const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    const text = form.querySelector("[data-draft]");
    const typed = text?.value;
    if (text) write(text, "");
    const file = form.querySelector("[data-file]");
    if (file?.files.length) { fields.push(["files", file.files[0].name]); file.value = ""; }
    act(form, fields).then((ok) => { if (!ok && text && !text.value) write(text, typed); });
  }
});

let typing = 0;

document.addEventListener("input", (event) => {
  const element = event.target;
  if (element.dataset.draft !== undefined) { sessionStorage.setItem(element.dataset.draft, element.value); hints(element); return; }
  const form = element.closest("form[data-view]");
  if (form) {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
      post("/act", [["act", "fill"], ["who", who(form)], ["view", form.dataset.view], ...fields]);
    }, 200);
  }
});

document.addEventListener("change", (event) => {
  const element = event.target;
  if (element.dataset.switch) go(element.value);
  if (element.dataset.file !== undefined) element.form.requestSubmit();
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.tools[open]")) event.target.querySelector(".menu").scrollIntoView({ block: "nearest" });
}, true);

document.addEventListener("keydown", (event) => {
  const element = event.target;
  if (event.key === "Enter" && !event.shiftKey && element.dataset?.draft !== undefined) {
    event.preventDefault();
    element.form.requestSubmit();
  }
  const modal = element.closest?.(".scrim");
  if (modal && event.key === "Escape") { event.preventDefault(); act(modal.querySelector("footer [data-act=close]")); }
  if (modal && event.key === "Tab") keepInside(event, modal);
});

function keepInside(event, modal) {
  const stops = [...modal.querySelectorAll("button, input, select, textarea, a[href]")].filter((each) => !each.disabled && each.type !== "hidden");
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement === edge) { event.preventDefault(); (event.shiftKey ? stops.at(-1) : stops[0]).focus(); }
}

// ---- Drafts, hints, focus --------------------------------------------------------------------

function restoreDrafts() {
  for (const text of document.querySelectorAll("[data-draft]")) {
    if (text !== document.activeElement) text.value = sessionStorage.getItem(text.dataset.draft) ?? "";
    hints(text);
  }
}

function write(text, words) {
  text.value = words;
  sessionStorage.setItem(text.dataset.draft, words);
  hints(text);
}

function hints(text) {
  const list = text.form.querySelector("[data-hints]");
  if (list) list.hidden = !text.value.startsWith("/");
}

const modals = () => new Map([...document.querySelectorAll("[data-modal]")].map((each) => [each.dataset.modal, who(each)]));
let before = null; // where the focus was before a modal opened

function focusModal(opened) {
  for (const [id] of modals()) {
    if (opened.has(id)) continue;
    if (!opened.size) before = document.activeElement?.id;
    const modal = document.querySelector(`[data-modal="${id}"]`);
    modal.querySelector(".modal-body input:not([type=hidden]), .modal-body textarea, .modal-body select, footer button")?.focus();
    return;
  }
  if (opened.size && !modals().size && before) document.getElementById(before)?.focus();
}

function focusError(known) {
  const error = [...document.querySelectorAll(".error")].find((each) => !known.has(each.id));
  error?.closest(".wrong").querySelector("input, textarea, select")?.focus();
}

addEventListener("popstate", draw);
restoreDrafts();
for (const list of document.querySelectorAll("[data-bottom]")) list.scrollTop = list.scrollHeight;
const changes = new EventSource("/events");
changes.onmessage = (event) => (event.data === generation() ? draw() : startOver());
let failed = 0; // a lost connection is made again; only a second failure means something
changes.onopen = () => { failed = 0; tell(""); };
changes.onerror = () => { failed += 1; if (failed > 1) tell(AWAY); };

function startOver() { // other people and channels, but whom to show stays
  const only = new URLSearchParams(location.search).get("only");
  location.assign(only ? `/?only=${only}` : "/");
}
