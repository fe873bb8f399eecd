// The network, and what makes one vector of its output: the same steps as the command line's.
const FLOOR = 1e-6;

// RGB, row by row, to the network's input: one plane for each colour, normalised.
function normalised(pixels, { width, height, mean, std }) {
  const plane = width * height;
  const input = new Float32Array(3 * plane);
  for (let colour = 0; colour < 3; colour++) {
    for (let place = 0; place < plane; place++) {
      input[colour * plane + place] = (pixels[3 * place + colour] / 255 - mean[colour]) / std[colour];
    }
  }
  return input;
}

// The generalised mean of all cells; the first token is the map's average, which is not part of it.
function pooled(tokens, dim, power) {
  const cells = tokens.length / dim - 1;
  const sums = new Float64Array(dim);
  for (let cell = 1; cell <= cells; cell++) {
    for (let n = 0, at = cell * dim; n < dim; n++) {
      const value = Math.max(tokens[at + n], FLOOR);
      sums[n] += power === 3 ? value * value * value : value ** power;
    }
  }
  return sums.map((sum) => (sum / cells) ** (1 / power));
}

function unit(vector) {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length ? vector.map((value) => value / length) : vector;
}

// Centred and projected. Each row of the projection is whole numbers with a scale of its own.
function whitened(vector, { mean, scales, rows }) {
  const dim = vector.length;
  const centred = vector.map((value, n) => value - mean[n]);
  const out = new Float64Array(scales.length);
  for (let row = 0; row < out.length; row++) {
    let sum = 0;
    for (let n = 0, at = row * dim; n < dim; n++) sum += centred[n] * rows[at + n];
    out[row] = sum * scales[row];
  }
  return unit(out);
}

function whiteningOf(bytes, dim, projected) {
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, dim + projected);
  return {
    mean: floats.subarray(0, dim),
    scales: floats.subarray(dim),
    rows: new Int16Array(bytes.buffer, bytes.byteOffset + floats.byteLength, dim * projected),
  };
}
