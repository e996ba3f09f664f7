// `/` goes to the search field, `?` shows the keys, and a link with data-key="c" is pressed by that key.
import { dialogOpen, on, query, typing } from "./dom.js";

const keys = query("#keys");
on("click", "[data-keys]", () => {
  query("#user-menu")?.hidePopover();
  keys.showModal();
});

document.addEventListener("keydown", (event) => {
  if (typing(event) || event.ctrlKey || event.metaKey || event.altKey || dialogOpen()) return;
  const target = event.key === "/" ? query("[data-search]") : query(`[data-key="${CSS.escape(event.key)}"]`);
  if (event.key === "?") keys?.showModal();
  else if (event.key === "/" && target) target.select();
  else if (target) target.click();
  else return;
  event.preventDefault();
});

on("keydown", "[data-search]", (event, input) => {
  if (event.key === "Escape") input.blur();
});
