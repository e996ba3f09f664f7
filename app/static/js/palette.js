// Ctrl-K: pages of the menu from one character, records from three (where the server offers a search).
import { icon, make, on, query, queryAll, words } from "./dom.js";
import { getJson, Refused } from "./http.js";

const palette = query("#palette");
const input = query("input", palette ?? document.createElement("i"));
const list = query("#palette-list");
let looking = null;
let timer = 0;

/** Every link of the sidebar and every button of the page's header. */
const pages = () =>
  queryAll(".side-nav a").map((link) => ({
    text: query("span", link).textContent,
    url: link.href,
    icon: iconOf(link),
  }));
const actions = () =>
  queryAll(".head-right a.btn, .record-actions a.btn").map((link) => ({
    text: link.textContent.trim().replace(/\s+\S$/, ""),
    url: link.href,
    icon: iconOf(link),
  }));
const iconOf = (node) => (query("use", node)?.getAttribute("href") ?? "").split("#")[1] ?? "";

/** The text with what was typed in it marked. */
function marked(text, typed) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return [text];
  return [text.slice(0, at), make("mark", { text: text.slice(at, at + typed.length) }), text.slice(at + typed.length)];
}

function item(entry, typed) {
  return make(
    "a",
    {
      class: "palette-item",
      role: "option",
      href: entry.url,
      tabindex: "-1",
      "aria-selected": "false",
      id: `option-${Math.random().toString(36).slice(2)}`,
    },
    entry.icon ? icon(entry.icon) : null,
    make("span", {}, ...marked(entry.text, typed)),
    entry.hint ? make("small", { text: entry.hint }) : null,
  );
}

function draw(typed, records) {
  const matching = (entries) => entries.filter((entry) => entry.text.toLowerCase().includes(typed.toLowerCase()));
  const groups = [
    [words.records, records],
    [words.pages, matching([...pages(), ...actions()])],
  ];
  list.replaceChildren(
    ...groups
      .filter(([, entries]) => entries.length)
      .map(([label, entries]) =>
        make(
          "div",
          { role: "group", "aria-label": label },
          make("div", { class: "palette-group", text: label, "aria-hidden": "true" }),
          ...entries.slice(0, 12).map((entry) => item(entry, typed)),
        ),
      ),
  );
  if (!list.children.length)
    list.append(
      make("div", {
        class: "palette-none",
        role: "option",
        "aria-disabled": "true",
        "aria-selected": "false",
        text: words.nothing,
      }),
    );
  choose(query(".palette-item", list));
}

function choose(next) {
  query('[aria-selected="true"]', list)?.setAttribute("aria-selected", "false");
  next?.setAttribute("aria-selected", "true");
  next?.scrollIntoView({ block: "nearest" });
  if (next) input.setAttribute("aria-activedescendant", next.id);
  else input.removeAttribute("aria-activedescendant");
}

async function look() {
  const typed = input.value.trim();
  looking?.abort();
  draw(typed, []);
  if (typed.length < 3 || !palette.dataset.search) return;
  looking = new AbortController();
  try {
    const { results = [] } = await getJson(`${palette.dataset.search}?q=${encodeURIComponent(typed)}`, looking.signal);
    draw(
      typed,
      results.map((found) => ({ text: found.text, hint: found.hint, url: found.url, icon: found.icon })),
    );
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof Refused)) throw error;
  }
}

export function openPalette() {
  if (!palette || palette.open) return;
  input.value = "";
  palette.showModal();
  draw("", []);
  input.focus();
}

on("click", "[data-palette]", openPalette);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  }
});
input?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 120);
});
palette?.addEventListener("click", (event) => {
  if (event.target === palette) palette.close();
});
input?.addEventListener("keydown", (event) => {
  const items = queryAll(".palette-item", list);
  const at = items.findIndex((node) => node.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(items[(at + 1) % items.length]);
  else if (event.key === "ArrowUp") choose(items[(at - 1 + items.length) % items.length]);
  else if (event.key === "Enter" && items[at])
    event.ctrlKey ? window.open(items[at].href, "_blank", "noopener") : location.assign(items[at].href);
  else if (event.key === "Escape") palette.close();
  else return;
  event.preventDefault();
});
