// Decodes pictures upright. Browsers turn JPEGs as their EXIF says, but not WebP and PNG, which the command line turns, too.
const TURNS = { // for each EXIF orientation, how x and y of the upright picture follow from those of the stored one
  1: [1, 0, 0, 1], 2: [-1, 0, 0, 1], 3: [-1, 0, 0, -1], 4: [1, 0, 0, -1],
  5: [0, 1, 1, 0], 6: [0, 1, -1, 0], 7: [0, -1, -1, 0], 8: [0, -1, 1, 0],
};
const text = (view, at) => String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));

// The EXIF orientation of a block of TIFF tags; 1 if it has none.
function orientationOf(view) {
  const little = view.getUint16(0) === 0x4949;
  const start = view.getUint32(4, little);
  for (let n = 0, count = view.getUint16(start, little); n < count; n++) {
    const at = start + 2 + 12 * n;
    if (view.getUint16(at, little) === 0x0112) {
      const value = view.getUint16(at + 8, little);
      return TURNS[value] ? value : 1;
    }
  }
  return 1;
}

// The blocks of a PNG or a WebP: [name, where its content starts, how long it is, where the next one starts].
function* blocksOf(view) {
  const png = view.getUint32(0) === 0x89504e47;
  const webp = text(view, 0) === "RIFF" && text(view, 8) === "WEBP";
  for (let at = png ? 8 : webp ? 12 : view.byteLength; at + 12 <= view.byteLength;) {
    const length = png ? view.getUint32(at) : view.getUint32(at + 4, true);
    const end = at + 8 + length + (png ? 4 : length % 2);
    yield [text(view, png ? at + 4 : at), at + 8, length, end];
    at = end;
  }
}

// A picture without its EXIF block, and the orientation in it, so that no browser turns it a second time.
async function untagged(file) {
  const bytes = await file.arrayBuffer();
  try {
    const view = new DataView(bytes);
    for (const [name, at, length, end] of blocksOf(view)) {
      if (name !== "eXIf" && name !== "EXIF") continue;
      const prefix = text(view, at) === "Exif" ? 6 : 0; // some writers put what JPEG needs before the tags
      const orientation = orientationOf(new DataView(bytes, at + prefix, length - prefix));
      if (orientation === 1) break;
      if (name === "eXIf") return [new Blob([bytes.slice(0, at - 8), bytes.slice(end)]), orientation];
      new Uint8Array(bytes, at - 8, 4).fill(0x20); // an unknown name, which decoders skip
      return [new Blob([bytes]), orientation];
    }
  } catch { /* what is broken here is no reason not to show the picture */ }
  return [file, 1];
}

// Returns the width and the height of the upright picture, and a function that draws it.
async function upright(file, options = {}) {
  const [plain, orientation] = await untagged(file);
  const image = await createImageBitmap(plain, { imageOrientation: "from-image", ...options });
  const [a, b, c, d] = TURNS[orientation];
  const [width, height] = orientation > 4 ? [image.height, image.width] : [image.width, image.height];
  const draw = (context) => {
    context.transform(a, b, c, d, a + c < 0 ? width : 0, b + d < 0 ? height : 0);
    context.drawImage(image, 0, 0);
    image.close();
  };
  return { width, height, draw };
}
