// Small helpers every controller shares.

export const query = (selector, root = document) => root.querySelector(selector);
export const queryAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Listens on the document, so that markup fetched later works too. */
export function on(type, selector, handler, options = {}) {
  document.addEventListener(
    type,
    (event) => {
      const target = event.target instanceof Element ? event.target.closest(selector) : null;
      if (target) handler(event, target);
    },
    options,
  );
}

/** An element with attributes (`on…` and `text` are special) and children. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const sprite = (query("svg.icon use")?.getAttribute("href") ?? "").split("#")[0];

/** An icon of the sprite. */
export function icon(name, size = 16) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of [
    ["class", "icon"],
    ["width", size],
    ["height", size],
    ["aria-hidden", "true"],
  ])
    svg.setAttribute(key, value);
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** The translated words scripts need, from base/_overlays.html. */
export const words = JSON.parse(query("#words")?.textContent || "{}");

/** Says something to screen readers. */
export function announce(text) {
  const region = query("#announcer");
  if (region) region.textContent = text;
}

const enhancers = [];

/** Registers what to do with new markup; runs at once for the page itself. */
export function enhance(setUp) {
  enhancers.push(setUp);
  setUp(document);
}

/** Replaces the inside of `node` and sets the new markup up, keeping the focus where it was. */
export function fill(node, html) {
  const focused = document.activeElement;
  const path = node.contains(focused) ? focusKey(focused) : null;
  node.innerHTML = html;
  for (const setUp of enhancers) setUp(node);
  if (path) query(path, node)?.focus();
}

/** A selector that finds the same control again after its surroundings were replaced. */
export function focusKey(node) {
  if (node.id) return `#${CSS.escape(node.id)}`;
  for (const name of ["data-focus-key", "name", "href", "formaction", "aria-label"]) {
    if (node.hasAttribute(name)) return `${node.localName}[${name}="${CSS.escape(node.getAttribute(name))}"]`;
  }
  return null;
}

/** True while the user types somewhere, so that single keys are text. */
export function typing(event) {
  const node = event.target;
  return (
    node instanceof HTMLElement &&
    (node.isContentEditable ||
      ["TEXTAREA", "SELECT"].includes(node.tagName) ||
      (node.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(node.type)))
  );
}

export const dialogOpen = () => Boolean(query("dialog[open]"));

/** Storage that may be switched off. */
export const memory = {
  get(key, store = localStorage) {
    try {
      return store.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value, store = localStorage) {
    try {
      value === null ? store.removeItem(key) : store.setItem(key, value);
    } catch {
      /* off */
    }
  },
};
