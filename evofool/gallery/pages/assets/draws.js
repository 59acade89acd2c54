"use strict";
// Random numbers, with the arithmetic of kernels/draws.py: a stream of SplitMix64 gives the same numbers here and there.
const Draws = (() => {
  const [STEP, FIRST, SECOND] = [0x9E3779B97F4A7C15n, 0xBF58476D1CE4E5B9n, 0x94D049BB133111EBn];
  const wrapped = (value) => BigInt.asUintN(64, value);

  /** Returns a stream that begins with a seed, a BigInt of 64 bits. */
  function stream(seed) {
    let state = wrapped(seed);

    /** Draws a whole number of 64 bits. */
    function bits() {
      state = wrapped(state + STEP);
      let z = wrapped((state ^ (state >> 30n)) * FIRST);
      z = wrapped((z ^ (z >> 27n)) * SECOND);
      return z ^ (z >> 31n);
    }

    const uniform = () => Number(bits() >> 11n) * 2 ** -53;
    const between = (low, high) => low + (high - low) * uniform();
    const below = (n) => Math.trunc(uniform() * n);
    const normal = () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    };
    /** Returns one of some values. */
    const one = (values) => values[below(values.length)];
    /** Returns the number of a weight, which is drawn in proportion to it. */
    const weighted = (weights) => {
      let left = uniform() * weights.reduce((sum, weight) => sum + weight, 0);
      const drawn = weights.findIndex((weight) => (left -= weight) < 0);
      return drawn < 0 ? weights.length - 1 : drawn;
    };
    return {bits, uniform, between, below, normal, one, weighted};
  }

  /** Returns a seed that nobody chose. */
  const fresh = () => crypto.getRandomValues(new BigUint64Array(1))[0];

  return {stream, fresh};
})();
