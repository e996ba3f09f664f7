// Selecting rows: checkbox, Shift for a range, `x`, `a` for all matching. The selection survives paging.
import { announce, dialogOpen, memory, on, query, queryAll, typing, words } from "./dom.js";
import { currentRow, rows } from "./table.js";

const form = query("form[data-bulk]");
const NAME = form?.dataset.name ?? "ids";

/** The list without its page: the selection belongs to what is filtered, not to where one is in it. */
function listKey() {
  const search = new URLSearchParams(location.search);
  for (const name of ["page", "size", "sort"]) search.delete(name);
  return `pick:${location.pathname}?${search}`;
}

const boxes = () => queryAll(`input[name="${NAME}"][form="${form.id}"]`);
let picked = new Set();
let all = false;
let last = null;

function save() {
  memory.set(listKey(), picked.size || all ? JSON.stringify({ ids: [...picked], all }) : null, sessionStorage);
}

function draw() {
  for (const box of boxes()) {
    box.checked = all || picked.has(box.value);
    box.closest("tr").classList.toggle("is-picked", box.checked);
  }
  const shown = boxes().length,
    on_ = boxes().filter((box) => box.checked).length;
  const head = query("[data-pick-all]");
  if (head) {
    head.checked = shown > 0 && on_ === shown;
    head.indeterminate = on_ > 0 && on_ < shown;
  }
  const count = all ? form.dataset.total : picked.size.toLocaleString(document.documentElement.lang);
  query("[data-bulk-count]", form).textContent = `${count} ${words.selected}`;
  const offer = query("[data-select-all]", form);
  if (offer) offer.hidden = all;
  document.body.classList.toggle("has-bulk", all || picked.size > 0);
}

function change(next) {
  next();
  save();
  draw();
  announce(query("[data-bulk-count]", form).textContent);
}

function set(box, value) {
  all = false;
  if (value) picked.add(box.value);
  else picked.delete(box.value);
}

/** Selects from the row chosen last up to `box`. */
function range(box) {
  const list = boxes();
  const [from, to] = [list.indexOf(last ?? box), list.indexOf(box)].sort((a, b) => a - b);
  for (const between of list.slice(from, to + 1)) set(between, true);
}

/** All matching rows where the server can do that, else those of this page. */
function selectAll() {
  if (query("[data-select-all]", form)) all = true;
  else boxes().forEach((box) => set(box, true));
}

function start() {
  try {
    const kept = JSON.parse(memory.get(listKey(), sessionStorage) || "{}");
    picked = new Set(kept.ids ?? []);
    all = Boolean(kept.all);
  } catch {
    /* what is kept cannot be read: start empty */
  }
  on("click", `input[name="${NAME}"]`, (event, box) =>
    change(() => {
      if (event.shiftKey && last) range(box);
      else set(box, box.checked);
      last = box;
    }),
  );
  on("change", "[data-pick-all]", (_event, head) => change(() => boxes().forEach((box) => set(box, head.checked))));
  on("click", "[data-select-all]", () => change(selectAll));
  on("click", "[data-clear]", () =>
    change(() => {
      all = false;
      picked.clear();
    }),
  );
  form.addEventListener("formdata", (event) => {
    event.formData.delete(NAME);
    if (all) event.formData.set("all", "1");
    else for (const id of picked) event.formData.append(NAME, id);
  });
  form.addEventListener("submit", () => memory.set(listKey(), null, sessionStorage));
  document.addEventListener("keydown", key);
  document.addEventListener("refreshed", draw);
  draw();
}

function key(event) {
  if (typing(event) || event.ctrlKey || event.metaKey || dialogOpen()) return;
  const box = currentRow() && query(`input[name="${NAME}"]`, currentRow());
  if (event.key === "a" && rows().length) change(selectAll);
  else if (event.key === "Escape" && (all || picked.size))
    change(() => {
      all = false;
      picked.clear();
    });
  else if (event.key.toLowerCase() === "x" && box) {
    change(() => {
      if (event.shiftKey && last) range(box);
      else set(box, !box.checked);
      last = box;
    });
  } else return;
  event.preventDefault();
}

if (form) start();
