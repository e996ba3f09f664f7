// The clients overview: the expander loads on demand; small forms save at once and say so with an Undo.
import { fill, make, on, query } from "./dom.js";
import { getFragment, post, Refused } from "./http.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";

on("click", "[data-expand-url]", async (event, button) => {
  event.preventDefault();
  const row = button.closest("tr");
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  row.classList.toggle("is-open", open);
  const old = document.getElementById(button.getAttribute("aria-controls"));
  if (!open) return old?.remove();
  const cell = make("td", { colspan: String(row.cells.length) });
  row.after(make("tr", { class: "expander", id: button.getAttribute("aria-controls") }, cell));
  await load(cell, button.dataset.expandUrl);
});

async function load(cell, url) {
  cell.dataset.url = url;
  const wait = setTimeout(
    () =>
      cell.append(
        make("div", { class: "skeleton mid" }),
        make("div", { class: "skeleton" }),
        make("div", { class: "skeleton short" }),
      ),
    150,
  );
  try {
    fill(cell, (await getFragment(url)).html);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    cell.replaceChildren(make("p", { class: "field-error", text: error.message }));
  } finally {
    clearTimeout(wait);
  }
}

/** A form with data-save posts itself and refreshes the row and the open expander; nothing else of the page changes. */
on("submit", "form[data-save]", async (event, form) => {
  event.preventDefault();
  const cell = form.closest(".expander > td");
  const row = form.closest("tr[data-refresh]") ?? cell?.parentElement.previousElementSibling;
  try {
    const answer = await post(
      event.submitter?.getAttribute("formaction") || form.action,
      new FormData(form, event.submitter),
    );
    if (answer.location) return location.assign(answer.location);
    toast({ text: answer.message, undoUrl: answer.undo_url, refresh: row });
    if (row?.dataset.refresh) await refresh(row);
    else if (cell) await load(cell, cell.dataset.url);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast({ text: error.message, bad: true });
    form.reset();
  }
});

// After an Undo the row is fresh again; an open expander follows it.
document.addEventListener("refreshed", (event) => {
  const row = event.target;
  const expander = row.nextElementSibling;
  const button = query("[data-expand-url]", row);
  if (!button || !expander?.classList.contains("expander")) return;
  button.setAttribute("aria-expanded", "true");
  load(expander.firstElementChild, button.dataset.expandUrl);
});
