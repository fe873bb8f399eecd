"use strict";
// The map: tiles on a canvas. Drag or arrow keys move it, the wheel, two fingers or + and - zoom, a click opens a game.
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
  const block = await load(`cells/${Math.floor(row / data.side)}/${Math.floor(column / data.side)}`);
  return (block && block[(row % data.side) * data.side + (column % data.side)]) || null;
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
  view.scale = Math.min(Math.max(view.scale, smallest()), 6);
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
  if (marked >= 0) {
    const [row, column] = [rowOf(marked), columnOf(marked)];
    pen.lineWidth = Math.max(3 / view.scale, 2);
    pen.strokeStyle = "#f0c674";
    pen.strokeRect(column * cellWidth, row * cellHeight, cellWidth, cellHeight);
  }
  pen.restore();
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

async function choose(cell) {
  marked = (await gameIn(cell)) ? cell : -1;
  tell(marked);
  draw();
}

function show(cell) {
  marked = cell;
  view.x = (columnOf(cell) + 0.5) * cellWidth;
  view.y = (rowOf(cell) + 0.5) * cellHeight;
  view.scale = Math.max(view.scale, 1.6);
  tell(cell);
  draw();
}

function zoom(by, x, y) {
  const before = view.scale;
  view.scale = Math.min(Math.max(before * by, smallest()), 6);
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
  fingers.delete(event.pointerId);
  if (moved < 5) {
    choose(under(event));
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
fit();
whole();
