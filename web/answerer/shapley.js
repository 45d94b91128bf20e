// How much of a maximum's change each of its inputs answers for: models/fast/shapley_maximum.py, which derives it.

const elu = (/** @type {number} */ z) => (z > 0 ? z : Math.expm1(z));
//: Up to so many players are put in order by insertion, which is sooner for few.
const FEW = 32;

/** log of n over k, by its sum. */
const logBinomial = (/** @type {number} */ n, /** @type {number} */ k) => {
  let sum = 0;
  for (let i = 1; i <= Math.min(k, n - k); i++) sum += Math.log((n - i + 1) / i);
  return sum;
};

/** Room for the players of one maximum, used again for the next. */
export class Maximum {
  /** @param {number} most players */
  constructor(most) {
    this.x = new Float64Array(most);
    this.y = new Float64Array(most);
    this.multipliers = new Float64Array(most);
    this.players = new Int32Array(most);
  }

  /**
   * From `x`, what each of n players brings when present, and `y`, when absent, to `multipliers`: its Shapley value of
   * the maximum, after an ELU if `bent`, over its own change; from 0 to 1. Only who may be higher than `base`, the
   * largest that nobody can take away, counts at all.
   */
  share(/** @type {number} */ n, /** @type {boolean} */ bent) {
    const { x, y, multipliers, players } = this;
    let base = -Infinity, m = 0, up = 0;
    for (let i = 0; i < n; i++) base = Math.max(base, Math.min(x[i], y[i]));
    for (let i = 0; i < n; i++) {
      multipliers[i] = 0;
      if (x[i] <= base && y[i] <= base) continue;
      players[m++] = i;
      if (x[i] > y[i]) up++;
    }
    this.#order(m);
    this.#climb(m, up, bent ? elu(base) : base, bent);
  }

  /** Players by rising height. */
  #order(/** @type {number} */ m) {
    const { x, y, players } = this, height = (/** @type {number} */ i) => Math.max(x[i], y[i]);
    if (m > FEW) {
      const sorted = Array.from(players.subarray(0, m)).sort((a, b) => height(a) - height(b));
      players.set(sorted);
      return;
    }
    for (let i = 1; i < m; i++) {
      const player = players[i], own = height(player);
      let k = i;
      for (; k > 0 && height(players[k - 1]) > own; k--) players[k] = players[k - 1];
      players[k] = player;
    }
  }

  #climb(/** @type {number} */ m, up, /** @type {number} */ base, /** @type {boolean} */ bent) {
    const { x, y, multipliers, players } = this;
    let u = up, d = m - up, below = base, ups = 0, downs = 0, log = m > 1 ? logBinomial(m, up) : 0;
    for (let k = 0; k < m; k++) {
      const i = players[k], isUp = x[i] > y[i], top = Math.max(x[i], y[i]), height = bent ? elu(top) : top;
      const stretch = (height - below) * Math.exp(-log);
      if (u) ups += stretch / u;
      if (d) downs += stretch / d;
      multipliers[i] = Math.max(0, Math.min(1, (isUp ? ups : -downs) / (x[i] - y[i])));
      below = height;
      log += Math.log((isUp ? u : d) / (u + d));   // one player fewer: C(n - 1, k - 1) = C(n, k) k / n
      if (isUp) u--;
      else d--;
    }
  }
}
