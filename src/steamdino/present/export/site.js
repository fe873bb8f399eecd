"use strict";
// A site without a server: what is shown stands behind the # of the address, and comes from files in data/.
const facts = document.documentElement.dataset;
const main = document.getElementById("main");
const box = document.getElementById("q");
const list = document.getElementById("found");
const title = document.title;
const files = new Map();
let shown = 0;
let typed = 0;
let arrived = false; // whether a page was shown before: the focus stays where it is on the first one

function load(path) {
  if (!files.has(path)) {
    const got = fetch(`data/${path}.json`).then((reply) => (reply.ok ? reply.json() : null));
    got.catch(() => files.delete(path));
    files.set(path, got);
  }
  return files.get(path);
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function frame(picture, lazy = true) {
  const inner = picture
    ? make("img", { src: picture, alt: "", width: 300, height: 450, ...(lazy ? { loading: "lazy" } : {}) })
    : make("span", { class: "none" }, "no picture");
  return make("span", { class: "frame" }, inner);
}

const address = (id) => `#/game/${encodeURIComponent(id)}`;

function grid(cards) {
  return make("ol", { class: "grid" }, ...cards.map(([id, name, picture, similarity]) => {
    const link = make("a", { class: "go", href: address(id) }, frame(picture), make("span", { class: "name" }, name));
    const told = typeof similarity === "number" ? [make("p", { class: "told" }, make("strong", {}, similarity.toFixed(3)))] : [];
    return make("li", { class: "tile" }, link, ...told);
  }));
}

// The browser keeps with each step of its history where its page was scrolled to, and the link that led on from it.
let settled = false; // false while the page of the address is not there yet

function keepPlace(more = {}) {
  if (settled) history.replaceState({ ...history.state, y: scrollY, ...more }, "");
}

function show(heading, ...content) {
  document.title = heading ? `${heading} - ${title}` : title;
  main.replaceChildren(...content);
  const { y = 0, left } = history.state || {};
  const link = left && main.querySelector(`a[href="${CSS.escape(left)}"]`);
  const start = link || main.querySelector("h1");
  if (start && !link) start.tabIndex = -1;
  if (arrived) start?.focus({ preventScroll: true });
  scrollTo(0, y);
  arrived = settled = true;
}

async function shardOf(place) {
  const number = Math.floor(place / facts.shard);
  return (await load(`games/${Math.floor(number / FOLDER)}/${number}`)) || [];
}

async function game(mine, id) {
  const place = await placeOf(id);
  const found = place === null ? null : (await shardOf(place))[place % facts.shard];
  if (mine !== shown) return;
  if (!found) {
    show("Nothing", make("h1", {}, "There is no such game"), make("p", {}, "It may have left the store. Find another one by its name above."));
    return;
  }
  const [, name, picture, pages, near] = found;
  const links = make("p", { class: "links" }, ...pages.map(([label, url]) => make("a", { href: url, rel: "noreferrer noopener" }, label)));
  const query = make("div", { class: "query" }, frame(picture, false), make("h1", {}, name), make("p", { class: "quiet" }, id), links);
  const answers = make("div", { class: "answers" }, make("h2", {}, "Banners that look like it"), grid(near));
  show(name, make("div", { class: "asked" }, query, answers));
}

async function route() {
  const mine = ++shown;
  settled = false;
  const [, what, which = ""] = location.hash.split("/");
  const home = await load("home");
  if (mine !== shown) return;
  if (what === "picture" && facts.search) await ownPicture(mine, which);
  else if (what === "game") await game(mine, decoded(which));
  else if (what === "random") {
    const place = Math.floor(Math.random() * home.total);
    const [id] = (await shardOf(place))[place % facts.shard] || [""];
    if (mine === shown) location.replace(address(id));
  } else if (what === "unique") {
    const found = await load("unique");
    if (mine === shown) show("Unique", make("h1", {}, "Games whose banners look like no other's"), make("p", {}, "The number is how similar the nearest one is."), grid(found));
  } else {
    const hero = make("section", { class: "hero" }, make("h1", {}, "Which game banners look alike?"),
      make("p", {}, `Type the name of a game above, or click a banner. ${home.total.toLocaleString("en")} games are here.`));
    show("", hero, make("h2", {}, "To begin with: games that differ from each other"), grid(home.games));
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a link that was cut in the middle of a letter
  }
}

const readNames = (file) => load(`names/${file}`);

function close() {
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function take(id) {
  close();
  box.value = "";
  keepPlace();
  location.hash = address(id);
}

box.addEventListener("input", async () => {
  const mine = ++typed;
  const found = await hits(box.value);
  if (mine !== typed) return;
  list.replaceChildren(...found.map(([, , name, , id], number) =>
    make("li", { id: `hit-${number}`, role: "option", "aria-selected": "false", "data-id": id }, name)));
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(found.length > 0));
});

box.addEventListener("keydown", (event) => {
  const items = [...list.children];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") close();
  else if (event.key === "Enter" && items.length && !list.hidden) take(items[Math.max(now, 0)].dataset.id);
  else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
    event.preventDefault();
    const next = (now + (event.key === "ArrowDown" ? 1 : now < 0 ? 0 : -1) + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === next)));
    box.setAttribute("aria-activedescendant", items[next].id);
  }
});
box.addEventListener("blur", close);
list.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("li");
  if (item) {
    event.preventDefault();
    take(item.dataset.id);
  }
});

// A site that was exported with --picture-search before may still be kept in this browser, and would be shown for ever.
async function forgetKept() {
  const root = new URL("./", location.href).href;
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    if (one.scope !== root) continue;
    one.active?.postMessage("forget");
    await one.unregister();
  }
  for (const name of await caches.keys()) if (name.startsWith(`steam-dino ${root} `)) await caches.delete(name);
}
if (!facts.search && navigator.serviceWorker && globalThis.caches) forgetKept().catch(() => {});

history.scrollRestoration = "manual";
let scrolled;
addEventListener("scroll", () => {
  clearTimeout(scrolled);
  scrolled = setTimeout(keepPlace, 100);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind the # is the page to show
  main.focus();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("main a");
  keepPlace(link ? { left: link.getAttribute("href") } : {});
}, { capture: true });
addEventListener("popstate", () => { settled = false; });
const failed = () => show("", make("h1", {}, "The games cannot be loaded"),
  make("p", {}, "Check your connection and reload the page. A copy on your disk needs a file server: run one in its folder, such as python -m http.server."));
const start = () => route().catch(failed);
addEventListener("hashchange", start);
start();
