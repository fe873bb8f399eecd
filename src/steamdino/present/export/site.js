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

function grid(cards) {
  return make("ol", { class: "grid" }, ...cards.map(([row, name, picture, similarity]) => {
    const link = make("a", { class: "go", href: `#/game/${row}` }, frame(picture), make("span", { class: "name" }, name));
    const told = typeof similarity === "number" ? [make("p", { class: "told" }, make("strong", {}, similarity.toFixed(3)))] : [];
    return make("li", { class: "tile" }, link, ...told);
  }));
}

function show(heading, ...content) {
  document.title = heading ? `${heading} - ${title}` : title;
  main.replaceChildren(...content);
  scrollTo(0, 0);
}

async function game(row) {
  const number = Math.floor(row / facts.shard);
  const shard = await load(`games/${Math.floor(number / FOLDER)}/${number}`);
  const found = shard && shard[row % facts.shard];
  if (!found) return show("Nothing", make("h1", {}, "There is no such game"));
  const [, name, picture, id, pages, near] = found;
  const links = make("p", { class: "links" }, ...pages.map(([label, url]) => make("a", { href: url, rel: "noreferrer noopener" }, label)));
  const query = make("div", { class: "query" }, frame(picture, false), make("h1", {}, name), make("p", { class: "quiet" }, id), links);
  const answers = make("div", { class: "answers" }, make("h2", {}, "Banners that look like it"), grid(near));
  return show(name, make("div", { class: "asked" }, query, answers));
}

async function route() {
  const mine = ++shown;
  const [, what, which] = location.hash.split("/");
  const home = await load("home");
  if (mine !== shown) return;
  if (what === "game") await game(Number(which));
  else if (what === "random") location.replace(`#/game/${Math.floor(Math.random() * home.total)}`);
  else if (what === "unique") {
    const found = await load("unique");
    if (mine === shown) show("Unique", make("h1", {}, "Games whose banners look like no other's"), make("p", {}, "The number is how similar the nearest one is."), grid(found));
  } else {
    const hero = make("section", { class: "hero" }, make("h1", {}, "Which game banners look alike?"),
      make("p", {}, `Type the name of a game above, or click a banner. ${home.total.toLocaleString("en")} games are here.`));
    show("", hero, make("h2", {}, "To begin with: games that differ from each other"), grid(home.games));
  }
}

const readNames = (file) => load(`names/${file}`);

function close() {
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function take(row) {
  close();
  box.value = "";
  location.hash = `#/game/${row}`;
}

box.addEventListener("input", async () => {
  const mine = ++typed;
  const found = await hits(box.value);
  if (mine !== typed) return;
  list.replaceChildren(...found.map(([row, , name], number) =>
    make("li", { id: `hit-${number}`, role: "option", "aria-selected": "false", "data-row": row }, name)));
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(found.length > 0));
});

box.addEventListener("keydown", (event) => {
  const items = [...list.children];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") close();
  else if (event.key === "Enter" && items.length && !list.hidden) take(items[Math.max(now, 0)].dataset.row);
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
    take(item.dataset.row);
  }
});
addEventListener("hashchange", route);
route().catch(() => show("", make("h1", {}, "The games cannot be loaded"), make("p", {}, "This page needs a file server: run one in its folder, such as python -m http.server.")));
