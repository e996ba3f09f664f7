// Places the browser's own popovers beside their button, loads those that have a URL, and shows tooltips with figures.
import { fill, make, on, query, queryAll, words } from "./dom.js";
import { getFragment, Refused } from "./http.js";

const GAP = 4;
const clamp = (value, low, high) => Math.max(low, Math.min(value, high));

/** Puts `box` (position: fixed) below or above `anchor`, inside the window. */
export function place(box, anchor, where = "bottom-start") {
  const from = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = from.bottom + GAP,
    above = from.top - GAP - height;
  const wantsTop = where.startsWith("top");
  const top = (wantsTop ? above >= 8 : below + height > innerHeight - 8 && above >= 8) ? above : below;
  const left = where.endsWith("end") ? from.right - width : from.left;
  box.style.left = `${clamp(left, 8, Math.max(8, innerWidth - width - 8))}px`;
  box.style.top = `${clamp(top, 8, Math.max(8, innerHeight - height - 8))}px`;
}

document.addEventListener(
  "toggle",
  (event) => {
    const box = event.target;
    if (!(box instanceof HTMLElement) || !box.hasAttribute("popover")) return;
    const opener = query(`[popovertarget="${CSS.escape(box.id)}"]`);
    opener?.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open" || !opener) return;
    place(box, opener, box.dataset.place);
    if (box.dataset.load) load(box, opener);
  },
  true,
);

async function load(box, opener) {
  const wait = setTimeout(
    () =>
      fill(
        box,
        '<div class="empty-wait"><div class="skeleton mid"></div><div class="skeleton"></div><div class="skeleton short"></div></div>',
      ),
    150,
  );
  try {
    fill(box, (await getFragment(box.dataset.load)).html);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    box.replaceChildren(make("p", { class: "palette-none", text: error.message }));
  } finally {
    clearTimeout(wait);
  }
  place(box, opener, box.dataset.place);
}

// Arrow keys move inside menus.
on("keydown", ".menu:popover-open", (event, menu) => {
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const items = queryAll(".menu-item:not(.disabled)", menu);
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  items[(next + items.length) % items.length]?.focus();
});
addEventListener(
  "scroll",
  (event) =>
    queryAll(".menu:popover-open").forEach((menu) => {
      if (!menu.contains(event.target)) menu.hidePopover();
    }),
  { capture: true, passive: true },
);

// Tooltips: `data-tip` names a <template> with what to show.
let tip = null;

function showTip(anchor) {
  hideTip();
  const content = document.getElementById(anchor.dataset.tip);
  if (!content) return;
  tip = make("div", { class: "tip", role: "tooltip", id: "tip" }, content.content.cloneNode(true));
  query("main").append(tip);
  anchor.setAttribute("aria-describedby", "tip");
  place(tip, anchor, "bottom-start");
}

function hideTip() {
  tip?.remove();
  tip = null;
}

on("mouseover", "[data-tip]", (_event, anchor) => showTip(anchor));
on("mouseout", "[data-tip]", hideTip);
on("focusin", "[data-tip]", (_event, anchor) => showTip(anchor));
on("focusout", "[data-tip]", hideTip);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});
