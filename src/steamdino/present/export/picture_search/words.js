// What is said of a picture and its matches: the sentences and the numbers of the command line.

function closeness(percentile) {
  const digits = Math.max(0, Math.ceil(-Math.log10(Math.max(100 - percentile, 1e-6)) - 1e-9));
  const scale = 10 ** digits;
  return `${(Math.floor(percentile * scale + 1e-6) / scale).toFixed(digits)} %`;
}

function rarity(percentile) {
  if (percentile < 50) return `closer than ${closeness(percentile)} of pairs`;
  const oneIn = (100 / Math.max(100 - percentile, 1e-6)) * (1 + 1e-9);
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(oneIn)) - 1);
  return `1 in ${(Math.floor(oneIn / scale) * scale).toLocaleString("en")} pairs`;
}

// How many percent of pairs are less similar, from a table of (percent, cosine).
function percentile(cosine, table) {
  if (!table.length) return null;
  if (cosine <= table[0][1]) return table[0][0];
  for (let n = 1; n < table.length; n++) {
    const [before, low] = table[n - 1];
    const [after, high] = table[n];
    if (cosine < high) return before + ((cosine - low) / (high - low)) * (after - before);
  }
  return table[table.length - 1][0];
}

function verdict({ closest }, taken) {
  const number = closest.cosine.toFixed(3);
  if (closest.identical) return [true, `This very file is the banner of ${closest.name}.`];
  if (taken === null) return [false, `The closest game is ${closest.name}, ${number}.`];
  if (closest.cosine >= taken) {
    return [true, `It shows what the banner of ${closest.name} shows: ${number}, and from ${taken.toFixed(3)} on two banners are copies, crops or reskins of each other.`];
  }
  return [false, `No game shows the same: the closest, ${closest.name}, has ${number}; copies, crops and reskins have ${taken.toFixed(3)} or more.`];
}

function unusual({ tag, games, usual, closest, percentile: share }) {
  const among = tag ? `the ${games.toLocaleString("en")} games tagged ${tag}` : `all ${games.toLocaleString("en")} games`;
  if (share === null) return make("p", {}, `Among ${among} there is nothing to compare it with.`);
  return make("p", {}, make("progress", { max: 100, value: share.toFixed(1), "aria-label": "How unusual it is, in percent" }),
    `More unusual than ${share.toFixed(0)} % of ${among}: its closest there is ${closest.name} with ${closest.cosine.toFixed(3)}, and half of them have one at ${usual.toFixed(3)} or more.`);
}
