// Base64 as it comes from Python, back into numbers.

export function floats(base64) {
  return new Float32Array(bytes(base64).buffer);
}

export function bytes(base64) {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

// What was deflated before it became base64, such as the images of a run.
export async function inflate(base64) {
  const packed = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
