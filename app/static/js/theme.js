// Light or dark, and the height of rows. Follows the system until somebody chooses.
import { memory, on } from "./dom.js";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

on("click", "[data-theme-toggle]", () => {
  const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
  root.dataset.bsTheme = next;
  memory.set("theme", next === (system.matches ? "dark" : "light") ? null : next);
});

system.addEventListener("change", () => {
  if (!memory.get("theme")) root.dataset.bsTheme = system.matches ? "dark" : "light";
});

const DENSITIES = ["normal", "compact", "roomy"];

on("click", "[data-density-toggle]", () => {
  const next = DENSITIES[(DENSITIES.indexOf(root.dataset.density) + 1) % DENSITIES.length];
  root.dataset.density = next;
  memory.set("density", next === "normal" ? null : next);
});
