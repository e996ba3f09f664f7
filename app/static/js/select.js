// `select[data-remote]` searches the server while one types; `select[data-choose]` searches its own options.
// The widget and its style sheet load only where one is used.
import { enhance, make, query, queryAll, words } from "./dom.js";
import { getJson } from "./http.js";

let library = null;

function load() {
  library ??= import("tom-select/base").then(async ({ default: TomSelect }) => {
    const [clear, remove] = await Promise.all([
      import("tom-select/dist/esm/plugins/clear_button/plugin.js"),
      import("tom-select/dist/esm/plugins/remove_button/plugin.js"),
    ]);
    TomSelect.define("clear_button", clear.default);
    TomSelect.define("remove_button", remove.default);
    const ours = query('link[href*="steward.css"]').href;
    const sheet = make("link", { rel: "stylesheet", href: ours.replace(/steward\.css.*/, "select.css") });
    const styled = new Promise((done) => ["load", "error"].forEach((event) => sheet.addEventListener(event, done)));
    document.head.append(sheet);
    await styled; // an unstyled widget would jump
    return TomSelect;
  });
  return library;
}

const withQuery = (url, q) => `${url}${url.includes("?") ? "&" : "?"}q=${encodeURIComponent(q)}`;

/** The settings that make the widget ask the server. */
const remote = (select) => ({
  valueField: "id",
  labelField: "text",
  searchField: [],
  sortField: [{ field: "$order" }],
  preload: "focus",
  loadThrottle: 200,
  shouldLoad: () => true,
  load(text, done) {
    this.clearOptions((option) => this.items.includes(String(option.id)));
    getJson(withQuery(select.dataset.remote, text)).then(
      (data) => done(data.results ?? data),
      () => done(),
    );
  },
});

/** Turns one select into a searching one. */
export async function remoteSelect(select) {
  if (select.tomselect || select.dataset.ready) return;
  select.dataset.ready = "1";
  const TomSelect = await load();
  const label = select.id && query(`label[for="${CSS.escape(select.id)}"]`)?.firstChild.textContent.trim();
  const focused = document.activeElement === select;
  const box = new TomSelect(select, {
    maxOptions: 100,
    placeholder: select.dataset.placeholder || words.search,
    plugins: {
      ...(select.multiple ? { remove_button: { title: words.remove } } : {}),
      ...(select.required || select.multiple ? {} : { clear_button: { title: words.remove } }),
    },
    render: {
      no_results: () => make("div", { class: "no-results", text: words.nothing }),
      loading: () => make("div", { class: "spinner", text: words.loading }),
    },
    ...(select.dataset.remote ? remote(select) : {}),
  });
  // The visible control takes over the name and the errors of the select.
  const named = select.getAttribute("aria-label") || label || words.search;
  box.control_input.setAttribute("aria-label", named);
  select.setAttribute("aria-hidden", "true");
  if (focused) box.focus();
  for (const name of ["aria-describedby", "aria-invalid"])
    if (select.hasAttribute(name)) box.control_input.setAttribute(name, select.getAttribute(name));
}

enhance((root) => queryAll("select[data-remote], select[data-choose]", root).forEach(remoteSelect));
