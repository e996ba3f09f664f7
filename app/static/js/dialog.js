// Confirmation. `a[data-dialog]` opens its page as a dialog; `data-confirm` asks a question first; a typed word frees the red button.
import { enhance, fill, make, on, query, words } from "./dom.js";
import { getFragment, post, Refused } from "./http.js";
import { toast } from "./toast.js";
import { refresh } from "./refresh.js";

const dialog = query("#dialog");
let opener = null;

function open(from) {
  opener = from;
  dialog.showModal();
  (query("[data-safe]", dialog) && !query("#typed-word", dialog)
    ? query("[data-safe]", dialog)
    : query("#typed-word, button", dialog)
  )?.focus();
}

dialog?.addEventListener("close", () => {
  opener?.focus();
  dialog.replaceChildren();
});
dialog?.addEventListener("click", (event) => {
  if (event.target.closest("[data-safe]")) {
    event.preventDefault();
    dialog.close();
  }
});

/** Opens the confirmation page at `url` inside the dialog; without an answer the link works as a link. */
export async function openDialog(url, from) {
  try {
    fill(dialog, (await getFragment(url)).html);
    open(from);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast({ text: error.message, bad: true });
  }
}

on("click", "[data-dialog]", (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(link.dataset.dialog || link.href, link);
});

/** Asks `question`; resolves to true when the user goes on. */
export function ask(question, from, { label = words.goOn, harmful = false } = {}) {
  return new Promise((resolve) => {
    const safe = make("button", { class: "btn btn-default", type: "button", "data-safe": true, text: words.cancel });
    const go = make("button", { class: `btn ${harmful ? "btn-danger" : "btn-primary"}`, type: "button", text: label });
    dialog.replaceChildren(
      make("div", { class: "dialog-body" }, make("h2", { id: "dialog-title", text: question })),
      make("div", { class: "dialog-foot" }, safe, go),
    );
    go.addEventListener("click", () => {
      dialog.removeEventListener("close", refuse);
      dialog.close();
      resolve(true);
    });
    const refuse = () => resolve(false);
    dialog.addEventListener("close", refuse, { once: true });
    open(from);
  });
}

on(
  "submit",
  "form",
  async (event, form) => {
    const button = event.submitter;
    const question = button?.dataset.confirm || form.dataset.confirm;
    if (!question || form.dataset.agreed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (
      !(await ask(question, button, {
        label: button?.textContent.trim(),
        harmful: Boolean(button?.matches(".danger, .btn-danger-soft")),
      }))
    )
      return;
    form.dataset.agreed = "1";
    form.requestSubmit(button ?? undefined);
    delete form.dataset.agreed;
  },
  { capture: true },
);

on("click", "a[data-confirm]", async (event, link) => {
  event.preventDefault();
  if (await ask(link.dataset.confirm, link, { label: link.textContent.trim() })) location.assign(link.href);
});

// A dialog opened from a row answers in place; any other one leads to the page the server names.
dialog?.addEventListener("submit", async (event) => {
  const row = opener?.closest("[data-refresh]");
  if (!row || event.target.method === "dialog") return;
  event.preventDefault();
  const from = opener;
  try {
    const answer = await post(event.target.action, new FormData(event.target, event.submitter));
    dialog.close();
    if (answer.location) return location.assign(answer.location);
    toast({ text: answer.message, undoUrl: answer.undo_url, refresh: row });
    await refresh(row, from);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    dialog.close();
    toast({ text: error.message, bad: true });
  }
});

enhance((root) => {
  for (const form of root.querySelectorAll("form[data-typed]")) {
    const word = form.dataset.typed,
      input = query("#typed-word", form),
      button = query("[data-harm]", form);
    const check = () => {
      button.disabled = input.value.trim() !== word;
    };
    input.addEventListener("input", check);
    check();
  }
});
