"use strict";
// The map: tiles on a canvas. Drag or arrow keys move it, the wheel, two fingers or + and - zoom, a click opens a game.
// What is shown stands behind the # of the address: "/game/ID/ZOOM" if a game is chosen, else "/at/COLUMN,ROW/ZOOM".
const data = JSON.parse(document.getElementById("facts").textContent);
const canvas = document.getElementById("map");
const pen = canvas.getContext("2d");
const label = document.getElementById("label");
const search = document.getElementById("search");
const found = document.getElementById("found");
const [width, height] = data.size;
const [cellWidth, cellHeight] = data.cell;
const tiles = new Map();
const view = { x: width / 2, y: height / 2, scale: 1 }; // the map's point in the middle, and screen pixels per its pixel
const files = new Map();
const waitingFor = new Map();
const blocks = new Map(); // those of `files` that are there, by place
const pictures = new Map(); // of single games, the last used ones last
const LARGEST = 6; // screen pixels per map pixel at most
const SHARP = 1.25; // up to so many, tiles are sharp enough
const KEPT = 300; // pictures, at most
const READABLE = 24; // width on the screen from which one sees what a click opens
let markedId = "";
let marked = -1; // the number of a cell: its row times the columns, plus its column
let pointed = -1;
let chosen = -1;
let waiting = false;
let typed = 0;

// Files of data are scripts that call this, since a page on a disk must not read other files.
function loaded(place, content) {
  waitingFor.get(place)?.(content);
}

function load(place) {
  if (!files.has(place)) {
    files.set(place, new Promise((resolve) => {
      const script = document.createElement("script");
      waitingFor.set(place, resolve);
      script.onerror = () => { files.delete(place); resolve(null); };
      script.onload = () => { script.remove(); resolve(null); };
      script.src = `data/${place}.js`;
      document.head.append(script);
    }));
  }
  return files.get(place);
}

const readNames = (file) => load(`names/${file}`);

const rowOf = (cell) => Math.floor(cell / data.columns);
const columnOf = (cell) => cell % data.columns;

// The game in a cell: its name, id and address; null if there is none.
async function gameIn(cell) {
  if (cell < 0) return null;
  const [row, column] = [rowOf(cell), columnOf(cell)];
  const place = blockOf(row, column);
  const block = await load(place);
  if (block) blocks.set(place, block);
  return (block && block[inBlock(row, column)]) || null;
}

const blockOf = (row, column) => `cells/${Math.floor(row / data.side)}/${Math.floor(column / data.side)}`;
const inBlock = (row, column) => (row % data.side) * data.side + (column % data.side);

// The same, if its block is there; else it is loaded, and drawn then.
function gameAt(row, column) {
  const place = blockOf(row, column);
  if (blocks.has(place)) return blocks.get(place)[inBlock(row, column)] || null;
  if (!files.has(place)) {
    load(place).then((block) => {
      if (!block) return;
      blocks.set(place, block);
      draw();
    });
  }
  return null;
}

function picture(path) {
  let image = pictures.get(path);
  pictures.delete(path); // and to the end: it is used now
  if (!image) {
    image = new Image();
    image.onload = draw;
    image.src = path;
  }
  pictures.set(path, image);
  if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
  return image.complete && image.naturalWidth ? image : null;
}

function fit() {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  draw();
}

function smallest() {
  return Math.min(canvas.clientWidth / width, canvas.clientHeight / height) * 0.95;
}

function whole() {
  Object.assign(view, { x: width / 2, y: height / 2, scale: smallest() });
  draw();
}

function draw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(paint);
  }
}

function paint() {
  waiting = false;
  view.scale = Math.min(Math.max(view.scale, smallest()), LARGEST);
  view.x = Math.min(Math.max(view.x, 0), width);
  view.y = Math.min(Math.max(view.y, 0), height);
  const ratio = devicePixelRatio;
  const scale = view.scale * ratio;
  pen.fillStyle = "#14181f";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.save();
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.scale(scale, scale);
  pen.translate(-view.x, -view.y);
  const level = Math.min(data.levels - 1, Math.max(0, data.levels - 1 + Math.ceil(Math.log2(scale) - 0.25)));
  // Coarser tiles first, so that something is there while finer ones are on their way.
  for (let coarse = 0; coarse <= level; coarse++) paintLevel(coarse, coarse === level, scale);
  if (scale > SHARP) paintPictures(scale);
  if (marked >= 0) {
    const [row, column] = [rowOf(marked), columnOf(marked)];
    pen.lineWidth = Math.max(3 / view.scale, 2);
    pen.strokeStyle = "#f0c674";
    pen.strokeRect(column * cellWidth, row * cellHeight, cellWidth, cellHeight);
  }
  pen.restore();
  note();
}

// The pictures of the games on the screen, over the tiles, which have no more pixels.
function paintPictures(scale) {
  const [halfWidth, halfHeight] = [canvas.width / 2 / scale, canvas.height / 2 / scale];
  const right = Math.min(data.columns - 1, Math.floor((view.x + halfWidth) / cellWidth));
  const bottom = Math.min(Math.ceil(height / cellHeight) - 1, Math.floor((view.y + halfHeight) / cellHeight));
  for (let row = Math.max(0, Math.floor((view.y - halfHeight) / cellHeight)); row <= bottom; row++) {
    for (let column = Math.max(0, Math.floor((view.x - halfWidth) / cellWidth)); column <= right; column++) {
      const path = gameAt(row, column)?.[3];
      const image = path && picture(path);
      if (!image) continue;
      const fit = Math.min(data.banner[0] / image.naturalWidth, data.banner[1] / image.naturalHeight);
      const [wide, high] = [image.naturalWidth * fit, image.naturalHeight * fit];
      pen.drawImage(image, (column + 0.5) * cellWidth - wide / 2, (row + 0.5) * cellHeight - high / 2, wide, high);
    }
  }
}

function paintLevel(level, load, scale) {
  const side = data.tile * 2 ** (data.levels - 1 - level);
  const halfWidth = canvas.width / 2 / scale;
  const halfHeight = canvas.height / 2 / scale;
  const right = Math.min(Math.ceil(width / side) - 1, Math.floor((view.x + halfWidth) / side));
  const bottom = Math.min(Math.ceil(height / side) - 1, Math.floor((view.y + halfHeight) / side));
  for (let row = Math.max(0, Math.floor((view.y - halfHeight) / side)); row <= bottom; row++) {
    for (let column = Math.max(0, Math.floor((view.x - halfWidth) / side)); column <= right; column++) {
      const image = tile(level, column, row, load || level === 0);
      if (image) pen.drawImage(image, column * side, row * side, side, side);
    }
  }
}

function tile(level, column, row, load) {
  const path = `tiles/${level}/${row}/${column}.jpg`;
  if (!tiles.has(path)) {
    if (!load) return null;
    const image = new Image();
    tiles.set(path, image);
    image.onload = draw;
    image.src = path;
  }
  const image = tiles.get(path);
  return image.complete && image.naturalWidth ? image : null;
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  const x = view.x + (event.clientX - box.left - box.width / 2) / view.scale;
  const y = view.y + (event.clientY - box.top - box.height / 2) / view.scale;
  if (x < 0 || y < 0 || x >= width || y >= height) return -1;
  return Math.floor(y / cellHeight) * data.columns + Math.floor(x / cellWidth);
}

async function tell(cell) {
  pointed = cell;
  const game = await gameIn(cell);
  if (cell !== pointed) return;
  label.replaceChildren();
  if (!game) return;
  const [name, id, url] = game;
  const text = document.createElement(url ? "a" : "span");
  text.textContent = name;
  if (url) Object.assign(text, { href: url, rel: "noreferrer", target: "_blank" });
  const quiet = document.createElement("span");
  quiet.className = "quiet";
  quiet.textContent = ` ${id}`;
  label.append(text, quiet);
}

// Names the game under the pointer; an empty cell, or one too small to point at, leaves the chosen game.
function hover(event) {
  const cell = cellWidth * view.scale < 8 ? -1 : under(event);
  tell(cell < 0 ? marked : cell);
}

async function choose(cell, step = true) {
  const game = await gameIn(cell);
  const before = marked;
  marked = game ? cell : -1;
  markedId = game ? game[1] : "";
  if (step && marked !== before) history.pushState(null, "", here());
  tell(marked);
  draw();
  return game;
}

// A click opens the game that it is on, if one can see which; a finger, which cannot point first, chooses it first. A
// game without a page of its own is shown as large as it gets.
async function pick(cell, byFinger) {
  const seen = cellWidth * view.scale >= READABLE;
  const before = marked;
  const game = await choose(cell);
  if (!game) return;
  if (!seen) show(cell);
  else if (!byFinger || before === cell) openGame(game, cell);
}

function openGame(game, cell) {
  if (game[2]) window.open(game[2], "_blank", "noopener,noreferrer");
  else show(cell, Math.min(LARGEST, canvas.clientHeight / cellHeight, canvas.clientWidth / cellWidth));
}

function show(cell, scale = 1.6) {
  view.x = (columnOf(cell) + 0.5) * cellWidth;
  view.y = (rowOf(cell) + 0.5) * cellHeight;
  view.scale = Math.max(view.scale, scale);
  choose(cell, cell !== marked);
}

const short = (number) => Number(number.toFixed(3));

// The address of what is shown. A chosen game is named by its id, which holds for later maps as well.
function here() {
  return markedId
    ? `#/game/${encodeURIComponent(markedId)}/${short(view.scale)}`
    : `#/at/${short(view.x / cellWidth)},${short(view.y / cellHeight)}/${short(view.scale)}`;
}

let noting;
function note() {
  clearTimeout(noting);
  if (!location.hash && marked < 0 && view.scale === smallest()) return; // the whole map needs no address
  noting = setTimeout(() => { if (location.hash !== here()) history.replaceState(null, "", here()); }, 300);
}

async function go() {
  clearTimeout(noting);
  const [, what, which = "", scale = ""] = location.hash.split("/");
  const wanted = Number(scale) > 0 ? Number(scale) : 1.6;
  if (what === "game") {
    const cell = await placeOf(decoded(which));
    if (cell === null) {
      label.textContent = "That game is not on this map.";
      return;
    }
    Object.assign(view, { x: (columnOf(cell) + 0.5) * cellWidth, y: (rowOf(cell) + 0.5) * cellHeight, scale: wanted });
    await choose(cell, false);
  } else if (what === "at" && which.split(",").length === 2 && which.split(",").every((part) => part !== "" && isFinite(part))) {
    const [x, y] = which.split(",").map(Number);
    Object.assign(view, { x: x * cellWidth, y: y * cellHeight, scale: wanted });
    await choose(-1, false);
  } else if (!what) {
    await choose(-1, false);
    whole();
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a link that was cut in the middle of a letter
  }
}

function zoom(by, x, y) {
  const before = view.scale;
  view.scale = Math.min(Math.max(before * by, smallest()), LARGEST);
  view.x += x * (1 / before - 1 / view.scale);
  view.y += y * (1 / before - 1 / view.scale);
  draw();
}

const fingers = new Map();
let moved = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  moved = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return hover(event);
  const others = [...fingers.values()].filter((one) => one.pointerId !== event.pointerId);
  if (others.length) {
    const [other] = others;
    const distance = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const box = canvas.getBoundingClientRect();
    const middle = [(event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2];
    zoom(distance(event) / Math.max(distance(before), 1), middle[0] - box.left - box.width / 2, middle[1] - box.top - box.height / 2);
  } else {
    view.x -= (event.clientX - before.clientX) / view.scale;
    view.y -= (event.clientY - before.clientY) / view.scale;
    draw();
  }
  moved += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
  fingers.set(event.pointerId, event);
});
canvas.addEventListener("pointerup", (event) => {
  const began = fingers.delete(event.pointerId); // it may have begun on the list of games that lies over the map
  if (began && moved < 5) {
    pick(under(event), event.pointerType === "touch");
  }
});
canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  zoom(2 ** (-event.deltaY / 300), event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const step = 80 / view.scale;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) {
    view.x += moves[event.key][0];
    view.y += moves[event.key][1];
  } else if (event.key === "+" || event.key === "=") zoom(1.5, 0, 0);
  else if (event.key === "-") zoom(1 / 1.5, 0, 0);
  else if (event.key === "0") whole();
  else if (event.key === "Enter" && marked >= 0) gameIn(marked).then((game) => game && openGame(game, marked));
  else return;
  event.preventDefault();
  draw();
});
document.getElementById("in").addEventListener("click", () => zoom(1.5, 0, 0));
document.getElementById("out").addEventListener("click", () => zoom(1 / 1.5, 0, 0));
document.getElementById("all").addEventListener("click", whole);

async function list() {
  const mine = ++typed;
  const games = await hits(search.value);
  if (mine !== typed) return;
  chosen = -1;
  found.replaceChildren(...games.map(([cell, , name], number) => {
    const item = document.createElement("li");
    Object.assign(item, { id: `hit-${number}`, textContent: name });
    item.setAttribute("role", "option");
    item.dataset.cell = cell;
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(item);
    });
    return item;
  }));
  found.hidden = !games.length;
  search.setAttribute("aria-expanded", String(games.length > 0));
  search.removeAttribute("aria-activedescendant");
}

function take(item) {
  search.value = item.textContent;
  typed++;
  found.hidden = true;
  search.setAttribute("aria-expanded", "false");
  show(Number(item.dataset.cell));
}

search.addEventListener("input", list);
search.addEventListener("blur", () => { found.hidden = true; });
search.addEventListener("keydown", (event) => {
  const items = [...found.children];
  if (event.key === "Escape") found.hidden = true;
  if (event.key === "Enter" && items.length) take(items[Math.max(chosen, 0)]);
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
    event.preventDefault();
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
    search.setAttribute("aria-activedescendant", items[chosen].id);
  }
});
addEventListener("resize", fit);
addEventListener("popstate", go);
fit();
whole();
if (location.hash) go();
