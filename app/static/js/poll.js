// Live parts: an element with data-poll="URL" gets the answer every second until the header `X-Done: 1` comes; each 10 % is announced.
import { announce, enhance, fill, queryAll, words } from "./dom.js";
import { getFragment, Refused } from "./http.js";

const SECOND = 1000;
const MOST = 15 * SECOND;

/** The element with this id in a whole page. */
function part(html, id) {
  return new DOMParser().parseFromString(html, "text/html").getElementById(id);
}

function watch(box) {
  let said = Math.floor(Number(box.dataset.percent || 0) / 10);
  let wait = SECOND;
  const look = async () => {
    if (!box.isConnected) return;
    if (!document.hidden) {
      try {
        const { html, headers } = await getFragment(box.dataset.poll);
        wait = Number(box.dataset.every || 1) * SECOND;
        const fresh = box.id ? part(html, box.id) : null;
        fill(box, fresh ? fresh.innerHTML : html);
        tell(Number(box.querySelector("[data-percent]")?.dataset.percent ?? NaN));
        if (headers.get("X-Done") === "1" || (fresh && !fresh.dataset.poll)) return end();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        wait = Math.min(wait * 2, MOST);
      }
    }
    setTimeout(look, wait);
  };
  const tell = (percent) => {
    if (Math.floor(percent / 10) <= said) return;
    said = Math.floor(percent / 10);
    announce(`${said * 10} ${words.percent}`);
  };
  const end = () => {
    announce(words.done);
    if (box.hasAttribute("data-reload")) location.reload();
  };
  setTimeout(look, wait);
}

enhance((root) =>
  queryAll("[data-poll]", root).forEach((box) => {
    if (!box.dataset.watched) {
      box.dataset.watched = "1";
      watch(box);
    }
  }),
);

// An error page tries again by itself while it is visible.
for (const box of queryAll("[data-retry]")) {
  const again = () =>
    document.hidden
      ? document.addEventListener("visibilitychange", () => location.reload(), { once: true })
      : location.reload();
  setTimeout(again, Number(box.dataset.retry) * SECOND);
}
