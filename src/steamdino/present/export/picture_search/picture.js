// One's own picture: where it comes from, what is shown of it. `worker.js` finds what looks like it; nothing is uploaded.
const MATCHES = 24;
const CANDIDATES = 48; // are compared with nothing rounded
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
const megabytes = (bytes) => (bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

let own = null; // the picture that was chosen last: { file, name, crop, mirror, tag, found, failed }
let finder = null; // the worker: { worker, state: "loading" | "ready", progress, total, tags }
let manifest = null;
let asked = 0;

// What this browser lacks, in a sentence; empty if it lacks nothing.
function lacking() {
  const simd = globalThis.WebAssembly && WebAssembly.validate(SIMD);
  if (simd && globalThis.OffscreenCanvas && globalThis.DecompressionStream && globalThis.createImageBitmap) return "";
  return "This browser cannot search by a picture: it lacks WebAssembly with SIMD, or it is switched off. Firefox from version 114 on can do it, and Chrome, Edge and Safari of 2023 or later.";
}

async function search() {
  manifest ||= fetch(facts.search).then((reply) => {
    if (!reply.ok) throw new Error(`${facts.search}: ${reply.status}`);
    return reply.json();
  });
  manifest.catch(() => { manifest = null; });
  return manifest;
}

function filesOf(parts) {
  return { program: [parts.runtime, parts.wasm, parts.network, parts.whitening], games: [parts.games, ...parts.vectors] };
}

const sum = (files) => files.reduce((all, file) => all + file.bytes, 0);

function begin(file) {
  own = { file, name: file.name || "Your picture", crop: null, mirror: false, tag: null, found: null, failed: "" };
  keepPlace();
  if (location.hash === "#/picture/mine") start();
  else location.hash = "#/picture/mine";
}

function chooser(id, label, more = {}) {
  const input = make("input", { id, type: "file", accept: "image/*", ...more });
  input.addEventListener("change", () => { if (input.files[0]) begin(input.files[0]); });
  return [make("label", { for: id }, label), input];
}

async function choosing(mine) {
  const lack = lacking();
  const parts = lack ? null : await search();
  const stored = parts && (await isStored(parts));
  if (mine !== shown) return;
  const lead = make("p", {}, "It stays in this browser: nothing is uploaded, and nobody else sees it.");
  if (lack) {
    show("Your picture", make("h1", {}, "Which games look like your picture?"), make("p", { class: "error", role: "alert" }, lack));
    return;
  }
  const { program, games } = filesOf(parts);
  const sizes = stored
    ? "All that a search needs is in this browser already."
    : `The first search loads ${megabytes(sum(program) + sum(games))}: ${megabytes(sum(program))} for the program, ${megabytes(sum(games))} for ${parts.rows.toLocaleString("en")} games.${keeps() ? " They are kept for the next time." : ""}`;
  const form = make("form", { class: "drop" },
    ...chooser("file", "Choose a picture, drop it anywhere on this page, or paste it"),
    make("div", { class: "camera" }, ...chooser("camera", "Or take a photo", { capture: "environment" })),
    make("p", { class: "quiet" }, sizes));
  form.addEventListener("submit", (event) => event.preventDefault());
  show("Your picture", make("h1", {}, "Which games look like your picture?"), lead, form, await offlineSwitch());
}

function stop() {
  finder?.worker.terminate();
  finder = null;
}

// Starts the worker; it loads what it needs once, for all pictures.
function prepare(parts) {
  const worker = new Worker(facts.worker, { type: "module" });
  finder = { worker, state: "loading", progress: 0, total: sum(Object.values(filesOf(parts)).flat()), tags: [] };
  const mine = finder;
  worker.addEventListener("message", ({ data }) => {
    if (mine !== finder || !own) return;
    if (data.progress) {
      finder.progress = data.progress;
      drawProgress();
    } else if (data.ready) {
      finder.state = "ready";
      finder.tags = data.ready;
      ask();
    } else if (data.found) {
      if (data.asked !== asked) return; // a later question is under way
      Object.assign(own, { found: data.found, failed: "" });
      answered();
    } else if (data.failed) fail(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    if (mine === finder) fail({ failed: event.message || "the program cannot be started" });
  });
  worker.postMessage({ load: { parts: { ...parts, base: root }, cache: keeps() ? store : null } });
  if (keeps()) caches.open(store).then((cache) => cache.add(facts.search)).catch(() => {}); // it came before the service worker
}

function answered() {
  document.getElementById("answers")?.removeAttribute("aria-busy");
  drawAnswers();
}

// For screen readers, which do not see that something changed elsewhere on the page.
function say(text) {
  const box = document.getElementById("said");
  if (box) box.textContent = text;
}

function fail({ failed, refused, asked: question }) {
  if (question && question !== asked) return;
  if (!refused || finder?.state === "loading") stop();
  if (!refused) console.warn(failed);
  const told = refused ? failed : "The search could not be loaded. Check the connection and try again.";
  if (own) Object.assign(own, { failed: told, again: !refused, found: null });
  answered();
}

function ask() {
  if (!own || finder?.state !== "ready") return;
  own.failed = "";
  document.getElementById("answers")?.setAttribute("aria-busy", "true"); // the old ones stay until the new ones are there
  if (!own.found) drawAnswers();
  const { file, crop, mirror, tag } = own;
  finder.worker.postMessage({ asked: ++asked, find: { file, crop, mirror, tag, count: MATCHES, candidates: CANDIDATES } });
}

async function preview(canvas) {
  const image = await upright(own.file).catch(() => null);
  if (!image) return;
  const scale = Math.min(1, 600 / Math.max(image.width, image.height));
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext("2d");
  context.scale(canvas.width / image.width, canvas.height / image.height);
  image.draw(context);
}

// Draws a part of the picture to search by; `part.js` makes its rectangle follow the pointer and the keys.
function cropper() {
  const SVG = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 1 1");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  const rectangle = document.createElementNS(SVG, "rect");
  drawing.append(rectangle);
  if (own.crop) ["x", "y", "width", "height"].forEach((name, n) => rectangle.setAttribute(name, own.crop[n]));
  const canvas = make("canvas", { width: 2, height: 3 });
  preview(canvas);
  const fields = ["left", "top", "width", "height"].map((label, n) => make("label", {}, `${label} `,
    make("input", { name: "crop", type: "number", min: 0, max: 1, step: "any", inputmode: "decimal", value: own.crop ? own.crop[n] : "" })));
  const whole = make("button", { type: "button" }, "All of it");
  const form = make("form", {},
    make("div", { class: "crop" }, canvas, drawing),
    make("p", { class: "quiet" }, "Draw a rectangle, or focus the picture: arrow keys move it, Shift and arrow keys resize it, Enter searches."),
    make("fieldset", { class: "four" }, make("legend", {}, "As fractions of the picture"), ...fields),
    make("p", { class: "hidden", role: "status", "aria-live": "polite" }),
    make("div", { class: "buttons" }, make("button", { type: "submit" }, "Search by this part"), whole));
  const search = (crop) => {
    own.crop = crop;
    ask();
    drawOwn();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = [...form.querySelectorAll('input[name="crop"]')].map((field) => field.valueAsNumber);
    const fits = values.every((value) => value >= 0) && values[2] > 0 && values[3] > 0 && values[0] + values[2] <= 1.000001 && values[1] + values[3] <= 1.000001;
    if (fits) search(values);
    else form.querySelector('[role="status"]').textContent = "That part is not inside the picture.";
  });
  whole.addEventListener("click", () => {
    form.querySelectorAll('input[name="crop"]').forEach((field) => { field.value = ""; });
    ["x", "y", "width", "height"].forEach((name) => rectangle.setAttribute(name, 0));
    search(null);
  });
  return make("details", { class: "part", ...(own.crop ? { open: "" } : {}) }, make("summary", {}, "Search by a part of it"), form);
}

const altered = () => ["your picture", ...(own.crop ? ["a part of it"] : []), ...(own.mirror ? ["mirrored"] : [])].join(", ");

function drawOwn() {
  document.getElementById("altered").textContent = altered();
  document.getElementById("turnable").classList.toggle("mirrored", own.mirror);
}

function tile({ id, name, picture, cosine, identical }, table) {
  const share = percentile(cosine, table);
  const words = identical ? [make("em", {}, "identical")]
    : share === null ? [] : [make("span", { title: `Closer than ${closeness(share)} of all pairs` }, rarity(share))];
  return make("li", { class: "tile" },
    make("a", { class: "go", href: address(id) }, frame(picture), make("span", { class: "name" }, name)),
    make("p", { class: "told" }, make("strong", {}, cosine.toFixed(3)), " ", ...words));
}

function tagChooser() {
  if (!finder?.tags.length) return "";
  const select = make("select", { id: "among" }, make("option", { value: "" }, "all games"),
    ...finder.tags.map(([tag, games], number) => make("option", { value: number }, `${tag} (${games.toLocaleString("en")})`)));
  select.value = own.tag === null ? "" : String(own.tag);
  select.addEventListener("change", () => {
    own.tag = select.value === "" ? null : Number(select.value);
    ask();
  });
  return make("p", { class: "among" }, make("label", { for: "among" }, "Compare it with "), select);
}

function drawProgress() {
  const bar = document.querySelector("#answers progress.loading");
  if (!bar || !finder) return;
  bar.value = finder.progress;
  bar.max = finder.total;
  document.getElementById("loaded").textContent = finder.progress < finder.total
    ? `Loading: ${megabytes(finder.progress)} of ${megabytes(finder.total)}` : "Starting the program …";
}

function results({ matches, standings }, { similarity }) {
  const [taken, sentence] = verdict(standings[0], similarity.taken);
  const chance = similarity.chance ?? -2;
  const alike = matches.filter(({ cosine }) => cosine >= chance);
  const others = matches.slice(alike.length);
  const list = (some) => make("ol", { class: "grid" }, ...some.map((one) => tile(one, similarity.quantiles)));
  return [
    make("p", { class: taken ? "verdict taken" : "verdict" }, sentence),
    ...standings.map(unusual),
    make("h2", {}, own.tag === null ? "Banners that look like it" : `Banners tagged ${finder.tags[own.tag][0]} that look like it`),
    ...(alike.length ? [list(alike)] : []),
    ...(others.length ? [
      make("h2", { class: "end" }, alike.length ? "These no longer look alike" : "None of these looks alike"),
      make("p", { class: "quiet" }, "By chance, any banner here has matches as close as these."), list(others)] : []),
  ];
}

// What stands beside the picture: the sizes and a button, the progress, the matches, or what went wrong.
async function drawAnswers() {
  const box = document.getElementById("answers");
  if (!box || !own) return;
  const parts = await search().catch(() => null);
  const button = (text, act) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const load = async () => {
    own.failed = "";
    prepare(parts);
    await drawAnswers();
    box.querySelector("button")?.focus();
  };
  if (!parts) {
    box.replaceChildren(make("p", { class: "error", role: "alert" }, "The search cannot be loaded. Check the connection and try again."), button("Try again", drawAnswers));
  } else if (own.failed) {
    box.replaceChildren(make("p", { class: "error", role: "alert" }, own.failed), ...(own.again ? [button("Try again", load)] : []));
  } else if (!finder) {
    if (await isStored(parts)) {
      if (!finder) prepare(parts);
      return drawAnswers();
    }
    const { program, games } = filesOf(parts);
    box.replaceChildren(
      make("p", {}, `The first search loads ${megabytes(sum(program) + sum(games))}: ${megabytes(sum(program))} for the program, ${megabytes(sum(games))} for ${parts.rows.toLocaleString("en")} games. The picture itself stays in this browser.`),
      make("div", { class: "buttons" }, button("Load and search", load)));
  } else if (finder.state === "loading") {
    box.replaceChildren(
      make("p", { id: "loaded" }, "Loading …"), make("progress", { class: "loading", max: 1, value: 0, "aria-label": "Loaded" }),
      make("div", { class: "buttons" }, button("Cancel", () => {
        stop();
        drawAnswers();
      })));
    drawProgress();
    say("Loading");
  } else if (!own.found) {
    box.replaceChildren(make("p", {}, "Searching …"));
  } else {
    const focused = document.activeElement?.id;
    box.replaceChildren(tagChooser(), ...results(own.found, parts));
    if (focused === "among") document.getElementById("among")?.focus();
    say(verdict(own.found.standings[0], parts.similarity.taken)[1]);
  }
}

function searching() {
  const mirror = make("input", { type: "checkbox", id: "mirror" });
  mirror.checked = own.mirror;
  mirror.addEventListener("change", () => {
    own.mirror = mirror.checked;
    drawOwn();
    ask();
  });
  const canvas = make("canvas", { role: "img", "aria-label": "Your picture", width: 2, height: 3 });
  preview(canvas);
  const query = make("div", { class: "query" },
    make("div", { id: "turnable", class: "turnable" }, make("span", { class: "frame" }, canvas)),
    make("h1", {}, own.name), make("p", { class: "quiet", id: "altered" }, altered()),
    cropper(), make("label", { class: "check" }, mirror, " mirror it"),
    make("p", {}, make("a", { href: "#/picture" }, "Another picture")));
  show(own.name, make("div", { class: "asked" }, query,
    make("div", { class: "answers" }, make("p", { id: "said", class: "hidden", role: "status" }), make("div", { id: "answers" }))));
  document.dispatchEvent(new Event("drawn"));
  drawOwn();
  if (finder?.state === "ready" && !own.found && !own.failed) ask();
  else drawAnswers();
}

async function ownPicture(mine, which) {
  if (which === "mine" && own && !lacking()) searching();
  else await choosing(mine);
}

const brings = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
let dragged = false; // a banner of this page that is being dragged is no picture of one's own
document.addEventListener("dragstart", () => { dragged = true; });
document.addEventListener("dragend", () => { dragged = false; });
document.addEventListener("dragover", (event) => {
  if (dragged || !brings(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (dragged || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  begin(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  begin(file);
});
