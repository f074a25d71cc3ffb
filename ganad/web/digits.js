// Digits of 28x28 grey bytes, put into the pixels of a canvas.

// picture: an ImageData at least 28 high; pixels: many digits, one after the other; left: where its first column goes.
export function putDigit(picture, pixels, row, left = 0) {
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) {
      const at = 4 * (picture.width * y + left + x);
      picture.data.fill(pixels[784 * row + 28 * y + x], at, at + 3);
      picture.data[at + 3] = 255;
    }
  return picture;
}
