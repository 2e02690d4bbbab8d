// Numbers: half precision, the error function, the prior, and the one place where a coordinate is rounded.

/**
 * A coordinate of the plane as the explorer shows, sends and draws it: in steps of 0.01 (finer where only a part of the
 * plane is seen), within the plane.
 * Every way to move the point goes through here, so that a slider and the plane never show different numbers.
 * @param {number} value
 * @param {number} extent  half the plane's side
 * @param {number} step  a power of ten
 * @returns {number} NaN when value is not a finite number
 */
export function settle(value, extent, step = 0.01) {
  if (!Number.isFinite(value)) return NaN;
  const parts = Math.round(1 / step);
  return Math.min(extent, Math.max(-extent, Math.round(value * parts) / parts)) + 0; // + 0 turns -0 into 0
}

/**
 * The number that 16 bits of half precision stand for (IEEE 754 binary16). Old browsers have no Float16Array.
 * @param {number} bits
 */
export function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The 16 bits of half precision nearest to a number (IEEE 754 binary16); what is too large becomes the largest.
 * @param {number} value
 */
export function floatToHalf(value) {
  const sign = value < 0 ? 0x8000 : 0, size = Math.min(Math.abs(value), 65504);
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-9)));
  const fraction = Math.round(size * 2 ** (10 - exponent)); // from 1024, or less where the number is subnormal
  return sign + fraction + (exponent + 14) * 1024; // a fraction that rounds up to 2048 carries into the exponent
}

/**
 * erf(x) to 1.5e-7 (Abramowitz and Stegun, formula 7.1.26).
 * @param {number} x
 */
export function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}

/**
 * GELU(x) = x Φ(x), exactly as torch.nn.GELU has it.
 * @param {number} x
 */
export function gelu(x) {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

/**
 * log P(z) of N(0, I) in two dimensions, in nats.
 * @param {number} z1
 * @param {number} z2
 */
export function logPrior(z1, z2) {
  return -Math.log(2 * Math.PI) - 0.5 * (z1 * z1 + z2 * z2);
}

/**
 * log Σ exp(values), safe for values of any size.
 * @param {number[]} values
 */
export function logSumExp(values) {
  let top = -Infinity;
  for (const v of values) if (v > top) top = v;
  if (top === -Infinity) return top;
  let sum = 0;
  for (const v of values) sum += Math.exp(v - top);
  return top + Math.log(sum);
}

/**
 * The bytes of whatever the host hands over (a DataView at an offset, an array, a buffer), as a copy.
 * @param {Bytes | null | undefined} data
 */
export function toBytes(data) {
  if (data == null) return new Uint8Array(0);
  return data instanceof ArrayBuffer
    ? new Uint8Array(data.slice(0))
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

/**
 * Little-endian float16 values as numbers.
 * @param {Bytes} data
 */
export function toHalves(data) {
  const view = new DataView(toBytes(data).buffer);
  return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => halfToFloat(view.getUint16(2 * i, true)));
}

/**
 * Little-endian float32 values as numbers. A copy, since a Float32Array must begin at a multiple of four bytes.
 * @param {Bytes} data
 */
export function toFloats(data) {
  return new Float32Array(toBytes(data).buffer);
}
