// Toasts: a ring counts ten seconds down, stops while the pointer or the focus is on it; Ctrl-Z presses the newest Undo.
import { icon, make, on, query, queryAll, typing, words } from "./dom.js";
import { post, Refused } from "./http.js";
import { refresh } from "./refresh.js";

const SECONDS = 10;
const svg = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};

function ring() {
  const node = svg("svg", { class: "toast-ring", viewBox: "0 0 16 16", "aria-hidden": "true" });
  node.append(
    svg("circle", { cx: 8, cy: 8, r: 6.5 }),
    svg("circle", { class: "ring-left", cx: 8, cy: 8, r: 6.5, pathLength: 100 }),
  );
  return node;
}

/** Starts the countdown of a toast that is in the page. */
function start(item) {
  const circle = ring();
  item.append(circle);
  const seconds = item.classList.contains("tone-bad") ? SECONDS * 2 : SECONDS;
  const clock = circle.lastChild.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: 100 }], {
    duration: seconds * 1000,
    fill: "forwards",
  });
  clock.onfinish = () => item.remove();
  for (const type of ["mouseenter", "focusin"]) item.addEventListener(type, () => clock.pause());
  for (const type of ["mouseleave", "focusout"]) item.addEventListener(type, () => clock.play());
}

/** Shows a toast. `undoUrl` is posted to by Undo; `refresh` is the part of the page to fetch again after it. */
export function toast({ text, undoUrl = "", bad = false, refresh: part = null }) {
  const undo = undoUrl
    ? make(
        "button",
        { class: "toast-undo", type: "button", "data-undo": undoUrl },
        words.undo,
        make("kbd", { text: "Ctrl Z" }),
      )
    : null;
  const item = make(
    "div",
    { class: `toast-item${bad ? " tone-bad" : ""}` },
    icon(bad ? "alert-circle" : "check"),
    make("span", { class: "toast-text", text }),
    undo,
  );
  if (undo) undo.addEventListener("click", () => takeBack(item, undoUrl, part));
  query("#toasts").append(item);
  start(item);
}

async function takeBack(item, url, part) {
  item.remove();
  try {
    const answer = await post(url);
    if (answer.location || !part) return location.reload();
    toast({ text: answer.message || words.undone });
    const current = part.isConnected ? part : query(`[data-refresh="${CSS.escape(part.dataset.refresh)}"]`);
    if (current) await refresh(current);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast({ text: error.message, bad: true });
  }
}

queryAll("[data-toast]").forEach(start);

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || typing(event)) return;
  const undo = queryAll("#toasts [data-undo]").at(-1);
  if (!undo) return;
  event.preventDefault();
  undo.click();
});

on("click", "[data-copy]", async (_event, button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  toast({ text: words.copied });
});
