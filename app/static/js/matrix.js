// The role matrix: arrow keys move between boxes, Space toggles (the browser's own), what is not saved is marked and counted.
import { on, query, queryAll } from "./dom.js";

const form = query("[data-matrix]");

function mark() {
  const boxes = queryAll("input[type=checkbox]", form);
  const changed = boxes.filter((box) => box.checked !== box.defaultChecked);
  for (const box of boxes) box.classList.toggle("is-changed", changed.includes(box));
  const button = query("[data-matrix-save]");
  if (!button) return;
  button.disabled = changed.length === 0;
  query("[data-changes]").textContent = changed.length || "";
}

function move(event, box) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!steps) return;
  event.preventDefault();
  const cell = box.closest("td");
  const rows = queryAll("tbody tr:not(.group)", form);
  let row = rows.indexOf(cell.parentElement),
    column = cell.cellIndex;
  for (;;) {
    row += steps[0];
    column += steps[1];
    const next = rows[row]?.cells[column];
    if (!next) return;
    const target = query("input:not(:disabled)", next);
    if (target) return target.focus();
  }
}

if (form) {
  on("change", "[data-matrix] input", mark);
  on("keydown", "[data-matrix] td.action input", move);
  form.addEventListener("reset", () => requestAnimationFrame(mark));
  mark();
}
