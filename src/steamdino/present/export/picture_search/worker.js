// Finds the games that look like a picture, beside the page, so that the page stays responsive.
// It is told {load} with what to load and then {find} with pictures; it answers {progress}, {ready}, {found} or {failed}.
const LARGEST = 64e6; // pixels: a canvas of more takes more memory than phones have
const SMALLEST = 8; // pixels of each side, as on the command line

class Refusal extends Error {} // of a picture, in words for a person

let parts = null;
let store = null; // the browser's cache for use without a connection; null if there is none, or it is switched off

const base = (path) => new URL(path, parts.base).href;

async function cachedReply(address) {
  try {
    return await store?.match(address);
  } catch {
    return undefined; // the browser took its storage away
  }
}

async function keep(address, bytes, type = "application/octet-stream") {
  try {
    await store?.put(address, new Response(bytes, { headers: { "content-type": type, "content-length": String(bytes.length) } }));
  } catch { /* no room: it is loaded again next time */ }
}

// The bytes of a file, from the cache or from the site; `got` is told how many came.
async function bytesOf({ path, bytes }, got, kept = true) {
  const address = base(path);
  const known = await cachedReply(address);
  const reply = known || (await fetch(address));
  if (!reply.ok || !reply.body) throw new Error(`${path}: ${reply.status}`);
  const all = new Uint8Array(bytes);
  let done = 0;
  const reader = reply.body.getReader();
  for (;;) {
    const { done: over, value } = await reader.read();
    if (over) break;
    if (done + value.length > bytes) throw new Error(`${path}: longer than ${bytes}`);
    all.set(value, done);
    done += value.length;
    got(value.length);
  }
  if (done !== bytes) throw new Error(`${path}: ${done} of ${bytes} bytes`);
  if (!known && kept) await keep(address, all);
  return all;
}

async function unpacked(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Some browsers give pages other pixels than a canvas has, so that pages cannot tell visitors apart by them.
function checkCanvas() {
  const context = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "rgb(200, 100, 50)";
  context.fillRect(0, 0, 16, 16);
  const { data } = context.getImageData(0, 0, 16, 16);
  const off = data.filter((value, place) => Math.abs(value - [200, 100, 50, 255][place % 4]) > 2).length;
  if (off > data.length / 50) {
    throw new Refusal("This browser does not let pages read pictures: it protects against fingerprinting. Allow this site to read canvas data, or use another browser.");
  }
}

async function load(message) {
  checkCanvas();
  parts = message.parts;
  store = message.cache ? await caches.open(message.cache).catch(() => null) : null;
  const all = [parts.runtime, parts.wasm, parts.network, parts.whitening, parts.games, ...parts.vectors];
  const total = all.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  const got = (count) => {
    done += count;
    postMessage({ progress: done, total });
  };
  const fetched = async (file) => unpacked(await bytesOf(file, got));
  const [session, whitening, games, shards] = await Promise.all([
    network(got, fetched),
    fetched(parts.whitening).then((bytes) => whiteningOf(bytes, parts.dim, parts.projected)),
    fetched(parts.games).then((bytes) => JSON.parse(new TextDecoder().decode(bytes))),
    Promise.all(parts.vectors.map(async (file) => shardOf(await fetched(file), file.rows, parts.projected, parts.step))),
  ]);
  Object.assign(parts, { session, whiten: whitening, known: games, shards });
  postMessage({ ready: games.tags.map(({ tag, games: count }) => [tag, count]) });
}

async function network(got, fetched) {
  // The module is fetched by `import`, from the cache where there is one: a service worker answers.
  const script = await bytesOf(parts.runtime, got, false);
  if (store && !(await cachedReply(base(parts.runtime.path)))) await keep(base(parts.runtime.path), script, "text/javascript");
  const [runtime, wasm, model] = await Promise.all([
    import(base(parts.runtime.path)), fetched(parts.wasm), fetched(parts.network),
  ]);
  runtime.env.wasm.numThreads = 1; // more would need headers that hosts of static files do not send
  runtime.env.wasm.wasmBinary = wasm;
  const session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const { width, height } = parts.transform;
  const run = async (input) => {
    const given = new runtime.Tensor("float32", input, [1, 3, height, width]);
    return (await session.run({ [session.inputNames[0]]: given }))[session.outputNames[0]].data;
  };
  await run(new Float32Array(3 * width * height)); // the first run is slower than all others
  return run;
}

// The pixels of a part of a picture, upright, in sRGB, on black, maybe mirrored.
async function pixelsOf(file, crop, mirror) {
  let image;
  try {
    image = await upright(file, {
      colorSpaceConversion: parts.transform.colours === "srgb" ? "default" : "none",
    });
  } catch {
    throw new Refusal("This browser cannot read that file as a picture. Use a JPEG, PNG or WebP.");
  }
  const size = [image.width, image.height];
  if (size[0] * size[1] > LARGEST) {
    throw new Refusal(`The picture has ${size[0].toLocaleString("en")} x ${size[1].toLocaleString("en")} pixels; at most ${LARGEST / 1e6} million are searched. Make it smaller.`);
  }
  const [left, top, right, bottom] = crop
    ? [even(crop[0] * size[0]), even(crop[1] * size[1]), even((crop[0] + crop[2]) * size[0]), even((crop[1] + crop[3]) * size[1])]
    : [0, 0, ...size];
  const [width, height] = [Math.min(right, size[0]) - left, Math.min(bottom, size[1]) - top];
  if (Math.min(width, height) < SMALLEST) {
    throw new Refusal(`${crop ? "That part" : "The picture"} has ${width} x ${height} pixels; each side must have at least ${SMALLEST}.`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
  if (mirror) context.setTransform(-1, 0, 0, 1, width, 0);
  context.translate(-left, -top);
  image.draw(context);
  const { data } = context.getImageData(0, 0, width, height);
  for (let at = 0; at < data.length; at += 4) { // on black
    const alpha = data[at + 3];
    if (alpha === 255) continue;
    for (let n = 0; n < 3; n++) data[at + n] = Math.round((data[at + n] * alpha) / 255);
  }
  return { pixels: data, width, height, size };
}

// To whole numbers, halves to even ones, as Python rounds.
function even(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest === 0.5 ? floor + (floor % 2) : Math.round(value);
}

async function vectorOf(picture) {
  const { width, height } = parts.transform;
  const small = resized(picture.pixels, picture.width, picture.height, width, height);
  const tokens = await parts.session(normalised(small, parts.transform));
  return whitened(unit(pooled(tokens, parts.dim, parts.power)), parts.whiten);
}

// Rounded vectors propose candidates; what rounding took away, in small files, puts these in order.
async function ranked(query, cosines, places) {
  const { rest: fine } = parts;
  const wanted = [...new Set(places.map((place) => Math.floor(place / fine.rows)))];
  const found = new Map();
  await Promise.all(wanted.map(async (number) => {
    const rows = Math.min(fine.rows, parts.rows - number * fine.rows);
    const path = fine.path.replace("{folder}", Math.floor(number / fine.folder)).replace("{number}", number);
    const bytes = await bytesOf({ path, bytes: rows * parts.projected }, () => {}).catch(() => null);
    if (bytes) found.set(number, bytes);
  }));
  const exact = places.map((place) => {
    const bytes = found.get(Math.floor(place / fine.rows));
    if (!bytes) return cosines[place]; // without a connection
    const levels = levelsOf(place);
    let sum = 0, squares = 0;
    for (let n = 0, at = (place % fine.rows) * query.length; n < query.length; n++, at++) {
      const value = parts.step * (levels[n] + (bytes[at] + 0.5) / fine.parts - 0.5);
      sum += query[n] * value;
      squares += value * value;
    }
    return sum / Math.sqrt(squares);
  });
  return places.map((place, n) => [place, exact[n]]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

function levelsOf(place) {
  for (const { rows, levels } of parts.shards) {
    if (place < rows) return Array.from({ length: parts.projected }, (_, n) => levels[n * rows + place]);
    place -= rows;
  }
  throw new RangeError(place);
}

const pictureOf = (digits) => digits && `banners/${digits.slice(0, 2)}/${digits}.jpg`;

async function digestOf(file) {
  if (!globalThis.crypto?.subtle) return ""; // on a site without https
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The places of a tag's games: steps from one to the next are smaller numbers.
function among(tag) {
  let place = -1;
  return parts.known.tags[tag].rows.map((step) => (place += step + 1));
}

// How many percent of some games are closer to their nearest one than the picture is to its own.
function standing({ tag, games, usual, closenesses }, closest) {
  const closer = closenesses.filter((one) => one > closest.cosine).length;
  return { tag, games, usual, closest, percentile: closenesses.length ? (100 * closer) / closenesses.length : null };
}

async function find({ file, crop, mirror, tag, count, candidates }) {
  const picture = await pixelsOf(file, crop, mirror);
  const query = await vectorOf(picture);
  const cosines = cosinesOf(query, parts.shards, parts.rows, parts.step);
  const sha256 = crop || mirror ? "" : await digestOf(file);
  const best = async (allowed) => (await ranked(query, cosines, highest(cosines, candidates, allowed))).map(([place, cosine]) => {
    const digits = parts.known.pictures[place];
    return {
      id: parts.known.ids[place], name: parts.known.names[place], cosine, picture: pictureOf(digits),
      identical: digits !== "" && sha256.startsWith(digits),
    };
  });
  const all = await best(null);
  const standings = [standing(parts.known.all, all[0])];
  let matches = all;
  if (tag !== null) {
    matches = await best(among(tag));
    standings.push(standing(parts.known.tags[tag], matches[0]));
  }
  return { matches: matches.slice(0, count), standings, size: picture.size, vector: query };
}

addEventListener("message", async ({ data }) => {
  try {
    if (data.load) await load(data.load);
    else postMessage({ found: await find(data.find), asked: data.asked });
  } catch (error) {
    postMessage({ failed: error.message, refused: error instanceof Refusal, asked: data.asked });
  }
});
