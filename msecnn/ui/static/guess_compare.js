// How a guess compares with what a network says: plain lists, of which a test knows the answers.

/** @typedef {{name: string, value: number}} Tag A tag, or a family of synonyms, with its probability. */

//: A tag that is less likely is not told of a network; at most so many are.
export const TOLD = 0.1, MOST_TOLD = 8;

/** The tags that a network would tell, the likeliest first; where none is likely, its first alone. */
const toldTags = (/** @type {Tag[]} */ tags) => {
  const ranked = [...tags].sort((a, b) => b.value - a.value);
  const likely = ranked.filter(({ value }) => value >= TOLD);
  return likely.length ? likely.slice(0, MOST_TOLD) : ranked.slice(0, 1);
};

/**
 * What guess and network have in common, what only one of them has, and of how many tags in all.
 * @param {string[]} chosen
 * @param {Tag[]} tags all of the network's
 */
export const compareGuess = (chosen, tags) => {
  const told = toldTags(tags), both = told.filter(({ name }) => chosen.includes(name));
  const onlyNetwork = told.filter(({ name }) => !chosen.includes(name));
  const onlyGuess = tags.filter(({ name }) => chosen.includes(name) && !both.some((tag) => tag.name === name));
  return { told, both, onlyNetwork, onlyGuess, n: both.length, of: chosen.length + onlyNetwork.length };
};
