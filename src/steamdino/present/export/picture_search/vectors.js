// The vectors of all games, in 8 bits or fewer a coordinate: a shard holds the first coordinate of all its games, then the second, ...
function cosinesOf(query, shards, games, step) {
  const cosines = new Float32Array(games);
  let start = 0;
  for (const { rows, levels, lengths } of shards) {
    const sums = new Float32Array(rows);
    for (let n = 0, at = 0; n < query.length; n++, at += rows) {
      const factor = query[n] * step;
      for (let row = 0; row < rows; row++) sums[row] += factor * levels[at + row];
    }
    for (let row = 0; row < rows; row++) cosines[start + row] = sums[row] / lengths[row];
    start += rows;
  }
  return cosines;
}

// Rounding shortens or lengthens a vector; its cosine does not depend on that.
function shardOf(bytes, rows, dim, step) {
  const levels = new Int8Array(bytes.buffer, bytes.byteOffset, rows * dim);
  const lengths = new Float32Array(rows);
  for (let n = 0, at = 0; n < dim; n++, at += rows) {
    for (let row = 0; row < rows; row++) lengths[row] += levels[at + row] * levels[at + row];
  }
  for (let row = 0; row < rows; row++) lengths[row] = Math.max(step * Math.sqrt(lengths[row]), 1e-12);
  return { rows, levels, lengths };
}

// The places of the highest cosines, falling, among those that are allowed.
function highest(cosines, count, allowed = null) {
  const best = [];
  let least = -2;
  const offer = (place) => {
    const cosine = cosines[place];
    if (best.length === count && cosine <= least) return;
    let at = best.length;
    while (at > 0 && cosines[best[at - 1]] < cosine) at--;
    best.splice(at, 0, place);
    if (best.length > count) best.pop();
    least = cosines[best[best.length - 1]];
  };
  if (allowed) allowed.forEach(offer);
  else for (let place = 0; place < cosines.length; place++) offer(place);
  return best;
}
