// Resizes pictures as Pillow does (bicubic, antialiased), to the last bit: a canvas would scale differently, and vectors with it.
// The width is resized first, then the height, with values rounded to whole levels between the two.
const REACH = 2; // source pixels on each side of the centre that count, at scale 1
const ONE = 1 << 22; // weights are whole numbers of this fraction, so that results are the same on every machine

// Keys's cubic convolution with a = -0.5 ("Cubic Convolution Interpolation for Digital Image Processing", 1981).
function cubic(x) {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

// For each resized pixel: the first source pixel that counts, how many do, and their weights.
function weightsOf(from, to) {
  const scale = from / to;
  const stretch = Math.max(scale, 1); // a smaller picture averages over more pixels
  const reach = REACH * stretch;
  const most = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * most);
  for (let place = 0; place < to; place++) {
    const centre = (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const count = Math.min(Math.trunc(centre + reach + 0.5), from) - first;
    const exact = new Float64Array(count);
    const inverse = 1 / stretch;
    let sum = 0;
    for (let n = 0; n < count; n++) {
      exact[n] = cubic((n + first - centre + 0.5) * inverse);
      sum += exact[n];
    }
    for (let n = 0; n < count; n++) {
      const share = (sum === 0 ? exact[n] : exact[n] / sum) * ONE;
      weights[place * most + n] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    starts[place] = first;
    counts[place] = count;
  }
  return { starts, counts, weights, most };
}

const level = (sum) => Math.min(Math.max(sum >> 22, 0), 255);

// RGBA of any size to RGB of another; transparency must be gone before.
function resized(pixels, width, height, toWidth, toHeight) {
  const across = weightsOf(width, toWidth);
  const narrow = new Uint8Array(toWidth * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      let r = ONE >> 1, g = r, b = r;
      const end = across.counts[x];
      for (let n = 0, at = 4 * (y * width + across.starts[x]), key = x * across.most; n < end; n++, at += 4) {
        const weight = across.weights[key + n];
        r += pixels[at] * weight;
        g += pixels[at + 1] * weight;
        b += pixels[at + 2] * weight;
      }
      const to = 3 * (y * toWidth + x);
      narrow[to] = level(r);
      narrow[to + 1] = level(g);
      narrow[to + 2] = level(b);
    }
  }
  const down = weightsOf(height, toHeight);
  const small = new Uint8Array(toWidth * toHeight * 3);
  const row = 3 * toWidth;
  const sums = new Int32Array(row);
  for (let y = 0; y < toHeight; y++) {
    sums.fill(ONE >> 1);
    for (let n = 0; n < down.counts[y]; n++) {
      const weight = down.weights[y * down.most + n];
      const at = (down.starts[y] + n) * row;
      for (let x = 0; x < row; x++) sums[x] += narrow[at + x] * weight;
    }
    for (let x = 0; x < row; x++) small[y * row + x] = level(sums[x]);
  }
  return small;
}
