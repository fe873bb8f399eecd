// Finds games by what is typed. Names lie in pages: a sorted list of all words with what follows them in their names,
// cut into files of equal size. `readNames(file)` is the page's own way to load one.
const FEW_PAGES = 2;
const SHOWN = 10;
const LONGEST = 64;
const FOLDER = 1000;
const CORRECTED = 4;
const MANY_PAGES = 4; // of words that are loaded to correct one
const CORRECTIONS = 4; // of a word, at most

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

// Which pages hold the words that begin with a text.
function pagesIn(starts, text) {
  const first = place(starts, text);
  let last = first;
  while (last < starts.length && starts[last].startsWith(text)) last++;
  return Array.from({ length: last - first + 1 }, (_, number) => first - 1 + number).filter((page) => page >= 0);
}

// The same; null if these are too many to load.
function pagesOf(starts, text) {
  const first = place(starts, text);
  const last = starts[first + FEW_PAGES - 1];
  return last !== undefined && last.startsWith(text) ? null : pagesIn(starts, text);
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

// The place of the game with an id; null if there is none.
async function placeOf(id) {
  const directory = await readNames("directory");
  if (!directory) return null;
  const next = place(directory.ids, id);
  const page = directory.ids[next] === id ? next : next - 1;
  const found = page < 0 ? null : (await namesFrom("ids", [page])).find(([own]) => own === id);
  return found ? found[1] : null;
}

const backwards = (text) => [...text].reverse().join("");

// Whether two words differ by one letter: missing, added, another one, or two that are swapped.
function isTypo(one, other) {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  const [left, right] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  return left.length + right.length === 1 || (left.length === 1 && right.length === 1)
    || (left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0]);
}

// The words of names that a word may have been meant as. It may be the beginning of a longer one, since it is being typed.
async function corrections(directory, typed) {
  const word = [...typed];
  if (word.length < CORRECTED) return [];
  // One typo leaves the first half or the second half as it is, but for two letters that are swapped in the middle.
  const half = word.length >> 1;
  const start = word.slice(0, half - 1).join("");
  const end = backwards(word.slice(half + 1).join(""));
  const listed = async (folder, text) => {
    const pages = pagesIn(directory[folder], text);
    return pages.length > MANY_PAGES ? [] : namesFrom(folder, pages);
  };
  const known = new Set((await Promise.all([listed("words", start), listed("ends", end)])).flat());
  const whole = [];
  const begun = [];
  for (const one of known) {
    const letters = [...one];
    if (isTypo(word, letters)) whole.push(one);
    else if ([-1, 0, 1].some((more) => letters.length > word.length + more && isTypo(word, letters.slice(0, word.length + more)))) begun.push(one);
  }
  return [...whole, ...begun].slice(0, CORRECTIONS);
}

// What may have been meant, if nothing has the words that are typed: one of them is corrected, else each that is unknown.
async function meant(directory, words) {
  const options = await Promise.all(words.map((word) => corrections(directory, word)));
  const one = options.flatMap((found, number) => found.map((better) => words.with(number, better)));
  const all = words.map((word, number) => options[number][0] || word);
  return [...one, ...(options.filter((found) => found.length).length > 1 ? [all] : [])];
}

// The games that fit what is typed: [place, reviews, name, ...] each; the one with that id, then those whose names begin
// with it, then those that have all its words; of each kind the most reviewed first.
async function hits(text) {
  const wanted = fold(text);
  if (!wanted) return [];
  const directory = await readNames("directory");
  if (!directory) return [];
  const exact = await fitting(directory, wanted, text.trim().toLowerCase());
  if (exact.length) return exact;
  const found = new Map();
  for (const words of await meant(directory, wanted.split(" "))) {
    for (const entry of await fitting(directory, words.join(" "), "")) found.set(entry[0], entry);
  }
  return [...found.values()].slice(0, SHOWN);
}

async function fitting(directory, wanted, id) {
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
