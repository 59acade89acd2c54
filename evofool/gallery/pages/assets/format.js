"use strict";
// Numbers and names as texts.
const Format = (() => {
  /** Factor that a confidence is stretched by before it is cut, so that the float32 nearest to 0.57 reads 57.00 %. */
  const FLOAT32_SLACK = 1 + 1.0001 * 2 ** -24;

  /** Returns a confidence in [0, 1] as a text, as `percent` in text.py does. It is cut, not rounded: only 1 reads 100 %,
   * and only 0 reads 0 %. */
  function percent(value) {
    if (value >= 1) return "100 %";
    if (value <= 0) return "0 %";
    if (value < 1e-4) return "< 0.01 %";
    const digits = value > 0.9999 ? 4 : 2, scale = 10 ** (digits + 2);
    const cut = Math.min(Math.floor(value * scale * FLOAT32_SLACK), scale - 1);
    return `${(cut / 10 ** digits).toFixed(digits)} %`;
  }

  /** Returns a picture's confidence as a text. */
  const confidence = (value) => value === null ? "not scored" : percent(value);

  /** Returns a whole number with commas. */
  const count = (value) => value.toLocaleString("en");

  /** Returns a class's name as it stands beside numbers, as `class_name` in text.py does: "class 6" for "6". */
  const className = (name) => /\p{L}/u.test(name) ? name : `class ${name}`;

  /** Returns a number with its noun, as `counted` in text.py does: "1 class", "1,200 classes", "3 queries". */
  const counted = (number, noun) => `${count(number)} ${number === 1 ? noun : plural(noun)}`;

  function plural(noun) {
    if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`;
    return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  }

  /** Returns a text for searching: lower case, without accents. */
  const folded = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  return {percent, confidence, count, className, counted, folded};
})();
