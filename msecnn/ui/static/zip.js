// A zip file (PKWARE's APPNOTE 6.3) of contents that are compressed already, or small: stored as they are.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
const crc32 = (/** @type {Uint8Array} */ bytes) => {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};

//: Names are UTF-8 (bit 11); version 2.0 is needed; no compression.
const FLAGS = 0x0800, VERSION = 20, STORED = 0;
/** Numbers of two and four bytes, little-endian. */
const packed = (/** @type {[2 | 4, number][]} */ ...fields) => {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0)), view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
};
/** The format's date and time: seconds in twos, years from 1980. */
const dosTime = (/** @type {Date} */ when) => [
  (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1),
  ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate()];

/**
 * @param {{name: string, bytes: Uint8Array}[]} files
 * @param {Date} when they were made
 */
export const zip = (files, when) => {
  const [time, date] = dosTime(when);
  /** @type {Uint8Array[]} */
  const parts = [], directory = [];
  let offset = 0, directorySize = 0;
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name), size = bytes.length;
    const facts = packed([2, VERSION], [2, FLAGS], [2, STORED], [2, time], [2, date], [4, crc32(bytes)], [4, size],
      [4, size], [2, path.length], [2, 0]);
    parts.push(packed([4, 0x04034b50]), facts, path, bytes);
    const entry = [packed([4, 0x02014b50], [2, VERSION]), facts, packed([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]),
      path];
    directory.push(...entry);
    directorySize += entry.reduce((sum, { length }) => sum + length, 0);
    offset += 4 + facts.length + path.length + size;
  }
  const end = packed([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, directorySize],
    [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end].map((bytes) => /** @type {BlobPart} */ (bytes)),
    { type: "application/zip" });
};
