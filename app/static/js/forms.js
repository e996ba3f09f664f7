// Forms: Ctrl-Enter saves, leaving with unsaved changes warns, a double press sends once, errors get the focus.
import { enhance, on, query, queryAll } from "./dom.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form[data-form]") ?? query("form[data-form]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(query("[data-submit]", form) ?? undefined);
});

const contents = (form) =>
  JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]));
const first = new WeakMap();
let leaving = false;

enhance((root) => {
  for (const form of queryAll("form[data-form]", root)) requestAnimationFrame(() => first.set(form, contents(form)));
});

addEventListener("beforeunload", (event) => {
  const changed = queryAll("form[data-form]").some((form) => first.has(form) && first.get(form) !== contents(form));
  if (changed && !leaving) event.preventDefault();
});

on("submit", "form", (event, form) => {
  if (event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  leaving = true;
  if ((event.submitter?.formMethod || form.method) === "post") form.dataset.sent = "1";
  // Downloads and refused submits leave the page where it is.
  setTimeout(() => {
    delete form.dataset.sent;
    leaving = false;
  }, 3000);
});
addEventListener("pageshow", () => {
  leaving = false;
});

query("[data-focus]")?.focus();

// The summary's links lead to the control one sees: a searching select hides the one it stands for.
on("click", '.notice a[href^="#"]', (event, link) => {
  const box = document.getElementById(link.hash.slice(1))?.tomselect;
  if (!box) return;
  event.preventDefault();
  box.control_input.focus();
});

// The comparison of a conflict: one side for all fields.
on("click", "[data-take]", (_event, button) => {
  for (const radio of queryAll(`[data-side="${button.dataset.take}"]`, button.closest(".conflict")))
    radio.checked = true;
});

on("click", "[data-reveal]", (_event, button) => {
  const input = document.getElementById(button.dataset.reveal);
  const show = input.type === "password";
  input.type = show ? "text" : "password";
  button.setAttribute("aria-pressed", String(show));
});

// A file can be dropped on its box.
for (const type of ["dragover", "dragleave", "drop"]) {
  on(type, "[data-drop]", (event, box) => {
    event.preventDefault();
    box.classList.toggle("is-over", type === "dragover");
    if (type !== "drop" || !event.dataTransfer.files.length) return;
    query("input[type=file]", box).files = event.dataTransfer.files;
  });
}

// A control with data-submit-on-change sends its form, as the button it names.
on("change", "[data-submit-on-change]", (_event, control) => {
  control.form.requestSubmit(query(control.dataset.submitOnChange || "[type=submit]", control.form) ?? undefined);
});
