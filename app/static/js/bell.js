// The bell asks every 20 seconds for the unread count while the page is visible.
import { announce, on, query } from "./dom.js";
import { getJson, post, Refused } from "./http.js";

const SECONDS = 20;
const bell = query("[data-bell]");
const count = query("[data-bell-count]");

function draw(unread) {
  const text = unread > 99 ? "99+" : String(unread);
  if (count.textContent !== text && unread > Number(count.textContent || 0)) announce(`${bell.title}: ${text}`);
  count.textContent = text;
  count.hidden = !unread;
}

async function look() {
  if (document.hidden) return;
  try {
    draw((await getJson(bell.dataset.bell)).unread);
  } catch (error) {
    if (!(error instanceof Refused) && error.name !== "SyntaxError") throw error;
  }
}

if (bell) {
  look();
  setInterval(look, SECONDS * 1000);
  document.addEventListener("visibilitychange", look);
}

on("submit", "form[data-mark-all]", async (event, form) => {
  event.preventDefault();
  await post(form.action, new FormData(form));
  query("#notifications")?.hidePopover();
  look();
});
