// Small arithmetic that several answers share.

export const round = (/** @type {number} */ value, /** @type {number} */ digits) => Number(value.toFixed(digits));
export const sigmoid = (/** @type {number} */ logit) => 1 / (1 + Math.exp(-Math.max(-80, Math.min(80, logit))));

/** The numbers 0 to n - 1, by what is least first; equal ones keep their order. */
export const sortedBy = (/** @type {number} */ n, /** @type {(i: number) => number} */ key) =>
  Array.from({ length: n }, (_, i) => i).sort((a, b) => key(a) - key(b));

/** The mean of equally long rows. */
export const meanRow = (/** @type {ArrayLike<number>[]} */ rows) =>
  Array.from(rows[0], (_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
