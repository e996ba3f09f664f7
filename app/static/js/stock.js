// Filters of pages that Flask-AppBuilder generates: `_flt_<operator>_<column>=value`; what is empty is not sent.
import { on, query, queryAll } from "./dom.js";

const control = (form, column) =>
  query(`[data-flt-input="${CSS.escape(column)}"], [data-flt-value="${CSS.escape(column)}"] select`, form);

for (const holder of queryAll("[data-flt-value]")) {
  const select = query("select", holder);
  select.prepend(new Option("", ""));
  select.value = holder.dataset.value;
}

on("submit", "[data-stock-filters]", (_event, form) => {
  for (const operator of queryAll("[data-flt]", form)) {
    const input = control(form, operator.dataset.flt);
    input.name = `_flt_${operator.value}_${operator.dataset.flt}`;
    input.disabled = input.value === "";
  }
});
