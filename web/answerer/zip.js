// Files in one ZIP archive (PKWARE's APPNOTE.TXT), each deflated by the browser.

/** @typedef {{name: string, content: Uint8Array}} NamedFile */

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const checksum = (/** @type {Uint8Array} */ bytes) =>
  ~bytes.reduce((sum, byte) => TABLE[(sum ^ byte) & 255] ^ (sum >>> 8), 0xffffffff) >>> 0;
const deflated = async (/** @type {Uint8Array} */ bytes) => {
  const packed = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
};

//: Version 2.0, names in UTF-8, deflated, and 1 January 1980: nothing of an archive tells when it was made.
const HEAD = [20, 0x800, 8, 0, 0x21];
/** Numbers of two and of four bytes, lowest byte first. */
const record = (/** @type {[2 | 4, number][]} */ ...numbers) => {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
};
/** @returns {[2, number][]} */
const shorts = (/** @type {number[]} */ ...values) => values.map((value) => [2, value]);

/** @returns {Promise<Blob>} */
export const zip = async (/** @type {NamedFile[]} */ files) => {
  /** @type {Uint8Array[]} */
  const parts = [], directory = [];
  let offset = 0;
  for (const { name, content } of files) {
    const path = new TextEncoder().encode(name), packed = await deflated(content);
    /** @type {[2 | 4, number][]} */
    const facts = [...shorts(...HEAD), [4, checksum(content)], [4, packed.length], [4, content.length],
      ...shorts(path.length, 0)];
    const head = record([4, 0x04034b50], ...facts);
    parts.push(head, path, packed);
    directory.push(record([4, 0x02014b50], [2, 20], ...facts, ...shorts(0, 0, 0), [4, 0], [4, offset]), path);
    offset += head.length + path.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0), n = files.length;
  const end = record([4, 0x06054b50], ...shorts(0, 0, n, n), [4, size], [4, offset], [2, 0]);
  return new Blob(/** @type {any[]} */ ([...parts, ...directory, end]), { type: "application/zip" });
};
