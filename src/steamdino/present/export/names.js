// Finds games by what is typed. Names lie in pages: a sorted list of all words with what follows them in their names,
// cut into files of equal size. `readNames(file)` is the page's own way to load one.
const FEW_PAGES = 2;
const SHOWN = 10;
const LONGEST = 64;
const FOLDER = 1000;

function fold(text) {
  const decomposed = text.replace(/\0/g, "").replace(/[™®]/g, "").normalize("NFKD");
  const plain = decomposed.replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss").replace(/ς/g, "σ").replace(/['’]/g, "");
  return plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim() || text.replace(/\0/g, "").toLowerCase().trim();
}

// The first of sorted texts that is not below a text.
function place(sorted, text) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Which pages hold the words that begin with a text; null if these are too many to load.
function pagesOf(starts, text) {
  const first = place(starts, text);
  let last = first;
  while (last < starts.length && starts[last].startsWith(text)) {
    last++;
    if (last - first >= FEW_PAGES) return null;
  }
  return Array.from({ length: last - first + 1 }, (_, number) => first - 1 + number).filter((page) => page >= 0);
}

async function namesFrom(folder, pages) {
  const loaded = await Promise.all(pages.map((page) => readNames(`${folder}/${Math.floor(page / FOLDER)}/${page}`)));
  return loaded.flatMap((page) => page || []);
}

// The best of the games whose names have a text as the beginning of a word, where these are too many to load.
async function best(directory, text) {
  const next = place(directory.best, text);
  const page = directory.best[next] === text ? next : next - 1;
  const found = page < 0 ? null : (await namesFrom("best", [page])).find(([prefix]) => prefix === text);
  return found ? found[1] : [];
}

async function candidates(directory, wanted) {
  const short = (text) => [...text].slice(0, LONGEST).join("");
  const words = [...new Set(wanted.split(" "))].map(short);
  const few = words.map((word) => pagesOf(directory.names, word)).filter(Boolean);
  // All games with one of the words hold all games with all of them.
  if (few.length) return namesFrom("pages", few.reduce((least, pages) => (pages.length < least.length ? pages : least)));
  const together = pagesOf(directory.names, short(wanted));
  const lists = (together ? words : [short(wanted), ...words]).map((text) => best(directory, text));
  return (await Promise.all([together ? namesFrom("pages", together) : [], ...lists])).flat();
}

const foldedName = (entry) => entry[3] || entry[2].toLowerCase();

// The games that fit what is typed: [place, reviews, name, ...] each; the one with that id, then those whose names begin
// with it, then those that have all its words; of each kind the most reviewed first.
async function hits(text) {
  const wanted = fold(text);
  const id = text.trim().toLowerCase();
  if (!wanted) return [];
  const directory = await readNames("directory");
  if (!directory) return [];
  const words = wanted.split(" ");
  const kinds = [new Map(), new Map(), new Map()];
  for (const entry of await candidates(directory, wanted)) {
    const folded = foldedName(entry);
    if (entry[4].toLowerCase() === id) kinds[0].set(entry[0], entry);
    else if (folded.startsWith(wanted)) kinds[1].set(entry[0], entry);
    else if (words.every((word) => folded.split(" ").some((own) => own.startsWith(word)))) kinds[2].set(entry[0], entry);
  }
  const order = (one, other) => other[1] - one[1] || one[0] - other[0];
  return kinds.flatMap((kind) => [...kind.values()].sort(order)).slice(0, SHOWN);
}
