// Lists by mouse and keyboard: row click opens; j and k move, Enter opens, e expands.
import { dialogOpen, on, query, queryAll, typing } from "./dom.js";

const ROWS = "tr[data-row]";
const PARTS = "a, button, input, select, label, summary, form, .expander, .more-row, [contenteditable]";

on("click", `${ROWS}[data-url]`, (event, row) => {
  if (event.target.closest(PARTS) || String(getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.url, "_blank", "noopener");
  else location.assign(row.dataset.url);
});
on("auxclick", `${ROWS}[data-url]`, (event, row) => {
  if (event.button === 1 && !event.target.closest(PARTS)) window.open(row.dataset.url, "_blank", "noopener");
});

export const rows = () => queryAll(ROWS);
export const currentRow = () => query(`${ROWS}.is-current`);

/** Marks `row` as the keyboard's row and puts the focus on its link. */
export function moveTo(row) {
  currentRow()?.classList.remove("is-current");
  if (!row) return;
  row.classList.add("is-current");
  row.scrollIntoView({ block: "nearest" });
  query(".row-link, td.main a, a", row)?.focus({ preventScroll: true });
}

function step(by) {
  const all = rows();
  const at = all.indexOf(currentRow());
  moveTo(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by))]);
}

on("focusin", ROWS, (_event, row) => {
  if (row.classList.contains("is-current")) return;
  currentRow()?.classList.remove("is-current");
  row.classList.add("is-current");
});

/** Shows or hides the columns behind a row's (+). */
on("click", "[data-expand]:not([data-expand-url])", (_event, button) => {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
});

let lead = "";
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  Enter: (event) => {
    if (event.target === document.body && currentRow()?.dataset.url) location.assign(currentRow().dataset.url);
  },
  e: () => query("[data-expand]", currentRow() ?? document.createElement("i"))?.click(),
};

document.addEventListener("keydown", (event) => {
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey || dialogOpen()) return;
  if (lead === "g" && event.key === "e") {
    query("[data-enter]", currentRow() ?? document.createElement("i"))?.click();
  } else if (KEYS[event.key] && query(ROWS)) {
    KEYS[event.key](event);
    if (event.key !== "Enter") event.preventDefault();
  }
  lead = event.key === "g" ? "g" : "";
});

// Scrolling inside the panel survives opening a row and coming back.
const box = query("[data-keep-scroll]");
if (box) {
  const key = `scroll:${location.pathname}${location.search}`;
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward")
    box.scrollTop = Number(sessionStorage.getItem(key) || 0);
  addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem(key, String(box.scrollTop));
    } catch {
      /* off */
    }
  });
}
