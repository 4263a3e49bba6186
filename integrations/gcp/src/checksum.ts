// CRC-32C (Castagnoli), which the service computes over every payload; the one in node:zlib is another polynomial.
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let sum = index;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  return sum;
});

/** The CRC-32C of a payload, as the decimal text that the service's JSON holds. */
export function crc32c(bytes: Uint8Array): string {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return String((sum ^ 0xffffffff) >>> 0);
}
