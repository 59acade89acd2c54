"use strict";
// The scale of confidences: log-odds, on which 99.9 and 99.999 % are as far apart as 90 and 99.9 %.
const Odds = (() => {
  /** Confidences that can be ticks, in per cent. */
  const PER_CENT = [0.0001, 0.001, 0.01, 0.1, 1, 10, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999];
  /** Largest log-odds; float32 has nothing between a confidence of 1 and one of about 16.6. */
  const MOST = 17;

  /** Returns the log-odds of a confidence in [0, 1]. */
  function of(confidence) {
    if (confidence >= 1) return MOST;
    return Math.max(-MOST, confidence <= 0 ? -MOST : Math.log(confidence) - Math.log1p(-confidence));
  }

  /** Returns ticks around all of some log-odds: those from the last below to the first above, each with its label. */
  function ticks(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const all = PER_CENT.map((share) => ({odds: of(share / 100), label: `${share} %`}));
    const first = all.findLastIndex(({odds}) => odds <= low), last = all.findIndex(({odds}) => odds >= high);
    const end = last < 0 ? all.length : last + 1, begin = Math.max(0, Math.min(first, end - 2));
    return all.slice(begin, Math.max(end, begin + 2));
  }

  return {of, ticks, MOST};
})();
