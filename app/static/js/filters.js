// Filters in the URL: `f=field:op:value`, repeated. A chip's three buttons open the editor; so does "+ Filter".
import { make, on, query, words } from "./dom.js";
import { place } from "./popover.js";
import { remoteSelect } from "./select.js";

const box = query("[data-chips]");
const spec = JSON.parse(query("[data-filter-spec]")?.textContent || "[]");
const editor = query("#filter-editor");
const fieldOf = (name) => spec.find((field) => field.field === name);
const opOf = (field, name) => field.ops.find((op) => op.name === name) ?? field.ops[0];

/** Goes to this list with other filters; paging starts again. */
function go(change) {
  const url = new URL(location.href);
  const terms = url.searchParams.getAll("f");
  change(terms);
  url.searchParams.delete("f");
  for (const term of terms.filter(Boolean)) url.searchParams.append("f", term);
  url.searchParams.delete("page");
  location.assign(url);
}

const NUMBERS = ["number", "decimal", "money"];

function inputType(field, op) {
  if (op.days || NUMBERS.includes(field.kind)) return "number";
  if (["date", "datetime"].includes(field.kind)) return "date";
  return "text";
}

function select(options, value, attributes) {
  const node = make("select", { class: "form-select", ...attributes });
  for (const [key, label] of options) node.append(make("option", { value: key, selected: key === value, text: label }));
  return node;
}

const pairs = (field) =>
  field.kind === "boolean"
    ? [
        ["true", words.yes],
        ["false", words.no],
      ]
    : (field.choices ?? []).map(({ value, label }) => [String(value), label]);

/** The control for the value: nothing, a list to tick, a choice, a look-up, one input or two. */
function valueControl(field, op, value, labels = []) {
  if (op.arity === 0) return null;
  const choices = pairs(field);
  if (op.arity === -1 && choices.length) return ticks(choices, value.split(","));
  if (choices.length) return select(choices, value, { name: "value", "aria-label": words.value });
  if (field.lookup) {
    const node = make("select", {
      class: "form-select",
      name: "value",
      multiple: op.arity === -1,
      "data-remote": field.lookup,
      "aria-label": words.value,
    });
    if (value)
      value
        .split(",")
        .forEach((id, at) => node.append(make("option", { value: id, selected: true, text: labels[at] ?? id })));
    return node;
  }
  const type = inputType(field, op);
  const one = (text, label) =>
    make("input", {
      class: "form-control",
      type,
      step: type === "number" ? "any" : null,
      name: "value",
      value: text,
      required: true,
      "aria-label": label,
    });
  if (op.arity !== 2) return one(value, words.value);
  const [from = "", to = ""] = value.split(",");
  return make("div", { class: "range" }, one(from, words.from), make("span", { text: words.and }), one(to, words.to));
}

function ticks(choices, values) {
  return make(
    "div",
    { class: "checks", role: "group", "aria-label": words.value },
    ...choices.map(([key, label]) =>
      make(
        "label",
        {},
        make("input", {
          type: "checkbox",
          class: "form-check-input",
          name: "value",
          value: key,
          checked: values.includes(key),
        }),
        label,
      ),
    ),
  );
}

/** Draws the editor for one condition; `index` is its place in the URL, -1 for a new one. */
function show(anchor, index, { field: name, op: opName, value = "", labels = [] }, focus = "value") {
  const field = fieldOf(name) ?? spec[0];
  const op = opOf(field, opName);
  const again = (next) => show(anchor, index, next, next.focus);
  const fields = select(
    spec.map((item) => [item.field, item.label]),
    field.field,
    { name: "field", "aria-label": words.field },
  );
  const ops = select(
    field.ops.map((item) => [item.name, item.label]),
    op.name,
    { name: "op", "aria-label": words.condition },
  );
  const control = valueControl(field, op, value, labels);
  const form = make(
    "form",
    {},
    fields,
    ops,
    control,
    make(
      "div",
      { class: "button-row" },
      make("button", { type: "button", class: "btn btn-quiet", text: words.cancel }),
      make("button", { class: "btn btn-primary", text: words.apply }),
    ),
  );
  fields.addEventListener("change", () => again({ field: fields.value, focus: "op" }));
  ops.addEventListener("change", () =>
    again({
      field: field.field,
      op: ops.value,
      value: op.arity === opOf(field, ops.value).arity ? read(form) : "",
      focus: "value",
    }),
  );
  query("button[type=button]", form).addEventListener("click", () => close(anchor));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply(index, field.field, op, read(form));
  });
  editor.replaceChildren(form);
  if (!editor.matches(":popover-open")) editor.showPopover();
  place(editor, anchor);
  const remote = query("select[data-remote]", form);
  if (remote) remoteSelect(remote);
  (query(`[name="${focus}"]`, form) ?? query("select", form)).focus();
}

const read = (form) => new FormData(form).getAll("value").join(",");

function apply(index, field, op, value) {
  if (op.arity !== 0 && value === "") return;
  go((terms) =>
    terms.splice(
      index < 0 ? terms.length : index,
      index < 0 ? 0 : 1,
      op.arity === 0 ? `${field}:${op.name}` : `${field}:${op.name}:${value}`,
    ),
  );
}

function close(anchor) {
  editor.hidePopover();
  anchor?.focus();
}

/** The names of a chip's values, when there is one for each. */
function labelsOf(chip) {
  const labels = query(".chip-value", chip)?.textContent.split(", ") ?? [];
  return labels.length === chip.dataset.value.split(",").length ? labels : [];
}

if (box && spec.length) {
  on("click", "[data-add-filter]", (_event, button) => show(button, -1, { field: spec[0].field }, "field"));
  on("click", "[data-chip] [data-edit]", (_event, button) => {
    const chip = button.closest("[data-chip]");
    if (fieldOf(chip.dataset.field))
      show(button, Number(chip.dataset.chip), { ...chip.dataset, labels: labelsOf(chip) }, button.dataset.edit);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && editor.matches(":popover-open")) {
      event.stopPropagation();
      close(query("[data-add-filter]"));
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (
      editor.matches(":popover-open") &&
      !editor.contains(event.target) &&
      !event.target.closest("[data-chips], .ts-dropdown")
    )
      editor.hidePopover();
  });
}
