// Fetches a part of the page again and puts it in place of the old one, keeping the focus.
import { fill, focusKey, make, query } from "./dom.js";
import { getFragment } from "./http.js";

/** Replaces `node` (a row or a box with `data-refresh`) by what its URL answers now. */
export async function refresh(node, focused = document.activeElement) {
  const key = node.contains(focused) ? focusKey(focused) : null;
  const { html } = await getFragment(node.dataset.refresh);
  const holder = make(node.localName === "tr" ? "tbody" : "div");
  fill(holder, html.trim());
  const fresh = holder.firstElementChild;
  if (!fresh) {
    node.remove();
    return null;
  }
  for (const state of ["is-current", "is-open", "is-picked"])
    fresh.classList.toggle(state, node.classList.contains(state));
  node.replaceWith(fresh);
  if (key) query(key, fresh)?.focus();
  fresh.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
  return fresh;
}
