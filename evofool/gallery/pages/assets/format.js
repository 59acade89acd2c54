"use strict";
// Numbers and names as texts.
const Format = (() => {
  /** Returns a share in [0, 1] as a text. It is cut, not rounded, so that only a certain 1 reads 100 %. */
  function percent(value) {
    if (value >= 1) return "100 %";
    if (value > 0 && value < 1e-4) return "< 0.01 %";
    const digits = value > 0.9999 ? 4 : 2, scale = 10 ** (digits + 2);
    return `${(Math.floor(value * scale + 1e-7) / 10 ** digits).toFixed(digits)} %`;
  }

  /** Returns a whole number with commas. */
  const count = (value) => value.toLocaleString("en");

  /** Returns a text for searching: lower case, without accents. */
  const folded = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  return {percent, count, folded};
})();
