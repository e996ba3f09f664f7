// The sidebar as a drawer on a phone: opens over the page, keeps the focus inside, closes with Esc or a tap beside it.
import { make, on, query, queryAll } from "./dom.js";

const side = query("#side");
const veil = make("div", { class: "drawer-veil" });
if (side) document.body.append(veil);

const button = () => query("[data-drawer]");

function toggle(open) {
  document.body.classList.toggle("drawer-open", open);
  button()?.setAttribute("aria-expanded", String(open));
  for (const part of queryAll("body > main")) part.inert = open;
  if (open) query("a, button", side).focus();
  else button()?.focus();
}

on("click", "[data-drawer]", () => toggle(true));
veil.addEventListener("click", () => toggle(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) toggle(false);
});
