// The file of a run's nets, as ganad/scoring/browser_nets.py packs it, into typed arrays.

// bytes: a Uint8Array. Returns the header with a Float32Array in the place of each tensor.
export function readNets(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const numbers = bytes.subarray(4 + length);
  return withArrays(header, numbers);
}

function withArrays(value, numbers) {
  if (Array.isArray(value)) return value.map((v) => withArrays(v, numbers));
  if (value === null || typeof value !== "object") return value;
  if ("at" in value && "half" in value) return tensor(value, numbers);
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, withArrays(v, numbers)]));
}

function tensor({ at, length, half }, numbers) {
  const own = numbers.slice(at, at + length * (half ? 2 : 4)).buffer;
  return half ? fromHalf(new Uint16Array(own)) : new Float32Array(own);
}

// float16 to float32. The bits of exponent and fraction, moved to their places in float32, are the number times 2^-112.
export function fromHalf(halves) {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] & 0x7fff) << 13;
  for (let i = 0; i < halves.length; i++) out[i] *= halves[i] & 0x8000 ? -(2 ** 112) : 2 ** 112;
  return out;
}
