// The service worker: pages from the network, and without one the pages made for that. The server writes VERSION and
// SHELL in front of this file. Nothing personal is ever put into a cache: only the shell, static files and rules.

const SHELL_CACHE = `shell-${VERSION}`;
const RULES_CACHE = "rules";
const MOST_RULES = 12;
const PATIENCE = 10_000;

self.addEventListener("install", (event) => {
  const kept = caches.open(SHELL_CACHE).then((cache) => cache.addAll(SHELL));
  event.waitUntil(kept.then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name !== SHELL_CACHE && name !== RULES_CACHE;
  const tidy = caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))));
  event.waitUntil(tidy.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (request.method !== "GET") return;
  else if (/^\/(static|evaluator)\//.test(url.pathname)) event.respondWith(file(request));
  else if (/^\/api\/(rules|form)\//.test(url.pathname) && url.searchParams.has("v")) event.respondWith(rules(request));
});

/** A page from the network; without one a page of the shell. A form that could not be sent is on the phone already. */
async function page(request, url) {
  const reading = request.method === "GET";
  const late = new AbortController();
  const timer = reading && setTimeout(() => late.abort(), PATIENCE);
  try {
    // A navigation cannot be sent on with a signal, so a race stands in for it.
    const never = new Promise((_, reject) => late.signal.addEventListener("abort", () => reject(new Error("late"))));
    return await Promise.race([fetch(request), never]);
  } catch {
    const shell = await caches.match(url.pathname, { cacheName: SHELL_CACHE, ignoreVary: true });
    if (shell && reading) return shell;
    return Response.redirect(`/offline#${url.pathname}`, 302);
  } finally {
    clearTimeout(timer);
  }
}

/** A file of the shell; one that a browser without import maps asks for without its version, too. */
async function file(request) {
  const ignoreSearch = !new URL(request.url).search;
  return (await caches.match(request, { cacheName: SHELL_CACHE, ignoreSearch, ignoreVary: true })) ?? fetch(request);
}

/** Rules by their hash never change: the last few stay. */
async function rules(request) {
  const cache = await caches.open(RULES_CACHE);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const all = await cache.keys();
    await Promise.all(all.slice(0, Math.max(0, all.length - MOST_RULES)).map((old) => cache.delete(old)));
  }
  return answer;
}
