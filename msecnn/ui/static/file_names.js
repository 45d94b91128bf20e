// Names of what is saved: of the recording and of the student, so that thirty files in one folder tell whose they are.

//: Longest part of a name, characters: with two of them and an ending, every system takes it.
const LONGEST = 48;
//: What some system does not take in a name, what no one sees, and what turns the direction of writing.
const FORBIDDEN = /[\\/:*?"<>|\p{C}\p{Zl}\p{Zp}]+/gu;
//: Names that Windows keeps for devices, whatever their ending.
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** One part of a name: whatever somebody typed or a file was called. */
const safe = (/** @type {string} */ words) => {
  const plain = words.normalize("NFC").replace(FORBIDDEN, " ").replace(/\s+/g, " ");
  const short = [...plain].slice(0, LONGEST).join("").replace(/^[\s.~-]+|[\s.]+$/g, "");
  return DEVICE.test(short) ? `${short}_` : short;
};

/** A recording's name without the ending of its file. */
export const bareName = (/** @type {string} */ name) => name.replace(/\.[\p{L}\p{N}]{1,4}$/u, "");

/**
 * A file's name made of what the parts say; those of which nothing is left are left out.
 * @param {string[]} parts
 * @param {string} end with its dot
 */
export const fileName = (parts, end) => {
  const named = parts.map(safe).filter(Boolean);
  return `${named.join(" - ") || "MsE-CNN"}${end}`;
};
