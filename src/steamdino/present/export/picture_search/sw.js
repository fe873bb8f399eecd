// Keeps the site for use without a connection. What has a digest in its name is taken from the cache first; the page and
// its data come from the site as long as it answers. The page can switch this off.
const PREFIX = `steam-dino ${registration.scope} `;
const CACHE = PREFIX + SITE.version;
const ROOT = new URL("./", registration.scope).href;
const DIGEST = /\.[0-9a-f]{12}\./;
const PICTURES = 1000; // banners that are kept: some 20 MB
const place = (address) => address.slice(ROOT.length).replace(/[?#].*$/, "");

let forgotten = false; // it answers for an open page until that is left, and would fill a new cache

// The page deletes what is kept, too, but a request that was under way may open the cache again after that.
addEventListener("message", (event) => {
  if (event.data !== "forget") return;
  forgotten = true;
  event.waitUntil(caches.keys().then((all) => Promise.all(
    all.filter((name) => name.startsWith(PREFIX)).map((name) => caches.delete(name)))));
});

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(SITE.shell.map((path) => new Request(new URL(path, ROOT), { cache: DIGEST.test(path) ? "default" : "no-cache" })));
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    const parts = new Set(SITE.parts);
    for (const name of await caches.keys()) {
      if (!name.startsWith(PREFIX) || name === CACHE) continue;
      const older = await caches.open(name);
      for (const request of await older.keys()) { // what the new version needs, too, is not loaded again
        if (parts.has(place(request.url))) await cache.put(request, await older.match(request));
      }
      await caches.delete(name);
    }
    await clients.claim();
  })());
});

async function fromCacheFirst(request, kept, opened = caches.open(CACHE)) {
  const cache = await opened;
  const known = await cache.match(request);
  if (known) return known;
  const reply = await fetch(request);
  if (kept && reply.ok) await cache.put(request, reply.clone()).catch(() => {});
  return reply;
}

async function fromSiteFirst(request, key) {
  const cache = await caches.open(CACHE);
  try {
    const reply = await fetch(request);
    if (reply.ok) await cache.put(key, reply.clone()).catch(() => {});
    return reply;
  } catch (error) {
    const known = await cache.match(key);
    if (known) return known;
    throw error;
  }
}

async function picture(request) {
  const cache = await caches.open(CACHE);
  const reply = await fromCacheFirst(request, true, cache);
  const kept = (await cache.keys()).filter(({ url }) => place(url).startsWith("banners/"));
  for (const old of kept.slice(0, Math.max(0, kept.length - PICTURES))) await cache.delete(old);
  return reply;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (forgotten || request.method !== "GET" || !request.url.startsWith(ROOT)) return;
  const path = place(request.url);
  if (request.mode === "navigate") {
    if (path === "" || path === "index.html") event.respondWith(fromSiteFirst(request, ROOT));
  } else if (path.startsWith("data/search/")) event.respondWith(fromCacheFirst(request, path.endsWith(".json")));
  else if (path.startsWith("banners/")) event.respondWith(picture(request));
  else if (path.startsWith("data/")) event.respondWith(fromSiteFirst(request, request));
  else if (SITE.shell.includes(path)) event.respondWith(fromCacheFirst(request, true));
});
