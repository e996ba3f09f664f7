// Requests to our own server. Every one carries `X-Fragment: 1`; writes carry the CSRF token.
import { query, words } from "./dom.js";

const token = () => query('meta[name="csrf-token"]')?.content ?? "";

/** An answer that is not good, with a text to show. */
export class Refused extends Error {}

async function send(url, options) {
  const headers = { "X-Fragment": "1", ...options.headers };
  if (options.method && options.method !== "GET") headers["X-CSRFToken"] = token();
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(words.offline);
  }
  if (!answer.ok) throw new Refused(await reason(answer));
  return answer;
}

async function reason(answer) {
  try {
    const data = await answer.json();
    return data.error || data.detail || data.title || data.message || words.failed;
  } catch {
    return words.failed;
  }
}

/** A fragment of HTML; a sign-in page in its place sends the whole window there. */
export async function getFragment(url, signal) {
  const answer = await send(url, { headers: { Accept: "text/html" }, signal });
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/login")) location.assign(answer.url);
  return { html: await answer.text(), headers: answer.headers };
}

export async function getJson(url, signal) {
  return (await send(url, { headers: { Accept: "application/json" }, signal })).json();
}

/** Posts a form's data. The answer is JSON, or a page to go to. */
export async function post(url, data = new FormData()) {
  const answer = await send(url, { method: "POST", body: data, headers: { Accept: "application/json" } });
  if ((answer.headers.get("Content-Type") || "").includes("json")) return answer.json();
  return { location: answer.url };
}
