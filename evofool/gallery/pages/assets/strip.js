"use strict";
// Confidence over time: a row of colour for every class, and the horizontal axis that it has in common with the curves.
const Strip = (() => {
  /** Margins in ems, of rows and curves, and least space between two labels. */
  const LEFT = 7, RIGHT = 1, APART = 1;
  const COLOURS = ["--two", "--one", "--three", "--four", "--five", "--six"];
  /** Colours by log-odds of the confidence; between two of them colours are mixed. */
  const STOPS = [[-7, [22, 24, 52]], [-3, [74, 44, 122]], [0, [176, 58, 96]], [2.2, [234, 120, 60]],
    [4.6, [248, 200, 92]], [9.2, [255, 248, 214]]];
  /** Number of classes up to which rows are high enough for names, and the height of such a row in ems. */
  const NAMED = 24, NAMED_HEIGHT = 1.7;

  function colour(odds) {
    if (odds <= STOPS[0][0]) return STOPS[0][1];
    for (let i = 1; i < STOPS.length; i++) {
      const [high, to] = STOPS[i], [low, from] = STOPS[i - 1];
      if (odds <= high) return from.map((v, k) => Math.round(v + ((odds - low) / (high - low)) * (to[k] - v)));
    }
    return STOPS[STOPS.length - 1][1];
  }

  const share = (odds) => 1 / (1 + Math.exp(-odds));

  /** Returns the log-odds of a class (row) at a moment (column) as a function. */
  function decode(strip) {
    const bytes = Uint8Array.from(atob(strip.odds), (letter) => letter.charCodeAt(0));
    const values = new Uint16Array(bytes.buffer);
    return (row, column) => (values[row * strip.generations.length + column] - 32768) / 2000;
  }

  /** Horizontal axes: the logarithm of what was spent by each moment, and ticks with their labels. */
  const DECADES = Array.from({length: 10}, (_, power) => 10 ** power);
  const AXES = {
    evaluations: {name: "evaluations", logs: (strip) => strip.evaluations.map(Math.log),
      text: Format.count, ticks: DECADES.map((value) => [value, Format.count(value)])},
    time: {name: "wall time", logs: (strip) => strip.seconds.map((seconds) => Math.log(Math.max(0.001, seconds))),
      text: (seconds) => `${Number(seconds.toPrecision(2))} s`,
      ticks: [[0.001, "1 ms"], [0.01, "10 ms"], [0.1, "0.1 s"], [1, "1 s"], [10, "10 s"], [60, "1 min"],
        [600, "10 min"], [3600, "1 h"], [36000, "10 h"], [360000, "100 h"]]},
  };

  /** Returns the pixels of an em of the text in an element. */
  const emOf = (element) => parseFloat(getComputedStyle(element).fontSize);

  /** Returns a scale from logarithms to pixels. */
  const horizontal = (low, high, width, em) =>
    (log) => LEFT * em + ((log - low) / Math.max(1e-9, high - low)) * (width - (LEFT + RIGHT) * em);

  /** Moves labels into a drawing of a width, and removes those that are too near to the one before. */
  function spread(labels, width, em) {
    let end = -Infinity;
    for (const label of labels) {
      const {x, width: long} = label.getBBox(), left = Math.max(0, Math.min(x, width - long));
      if (left < end + APART * em) { label.remove(); continue; }
      label.setAttribute("x", Number(label.getAttribute("x")) + left - x);
      end = left + long;
    }
  }

  /** Draws the horizontal axis of `svg`, whose plot reaches from `top` to `bottom`. */
  function across(svg, axis, low, high, x, [top, bottom], width, height, em) {
    const within = axis.ticks.filter(([value]) => Math.log(value) >= low - 0.01 && Math.log(value) <= high);
    // An axis with fewer than two ticks says nothing: it gets both of its ends.
    const ticks = within.length > 1 ? within : [low, high].map(Math.exp).map((value) => [value, axis.text(value)]);
    spread(ticks.map(([value, text]) => {
      const at = x(Math.log(value));
      Dom.svg("line", {class: "axis", x1: at, x2: at, y1: bottom, y2: top}, svg);
      return Dom.svg("text", {x: at, y: height - 1.9 * em, "text-anchor": "middle"}, svg, text);
    }), width, em);
    const title = {x: (x(low) + x(high)) / 2, y: height - 0.5 * em, "text-anchor": "middle"};
    Dom.svg("text", title, svg, `${axis.name}, logarithmic`);
  }

  /** Draws the rows of one strip. Returns a function that tells what is at a position of the canvas, in pixels. */
  function rows(canvas, strip, across) {
    const value = decode(strip), count = strip.names.length, moments = strip.generations.length;
    const em = emOf(canvas), named = count <= NAMED;
    const step = named ? NAMED_HEIGHT * em : Math.max(1, Math.min(8, Math.round(320 / count)));
    const ratio = Math.min(2, window.devicePixelRatio || 1), width = canvas.clientWidth;
    const height = named ? step * count : Math.min(count * step, 420);
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const logs = AXES[across].logs(strip), x = horizontal(logs[0], logs.at(-1), width, em);
    // The column of a moment reaches half the way to its neighbours.
    const edge = (column) => {
      if (column === 0) return LEFT * em;
      return column === moments ? width - RIGHT * em : (x(logs[column - 1]) + x(logs[column])) / 2;
    };
    const plain = pixels(value, count, moments), brush = canvas.getContext("2d");
    brush.scale(ratio, ratio);
    brush.imageSmoothingEnabled = !named;
    for (let column = 0; column < moments; column++) {
      const left = edge(column), span = edge(column + 1) - left + 0.6;
      if (!named) brush.drawImage(plain, column, 0, 1, count, left, 0, span, height);
      else for (let row = 0; row < count; row++) {
        brush.drawImage(plain, column, row, 1, 1, left, row * step, span, step - 2);
      }
    }
    if (named) label(brush, strip.names, value, step, em);
    return (left, top) => {
      const row = Math.max(0, Math.min(count - 1, Math.floor((top / height) * count)));
      let column = 0;
      while (column + 1 < moments && edge(column + 1) <= left) column++;
      return {name: strip.names[row], generation: strip.generations[column], evaluations: strip.evaluations[column],
        confidence: share(value(row, column))};
    };
  }

  /** Returns a canvas with a pixel for every class and moment. */
  function pixels(value, count, moments) {
    const canvas = Dom.element("canvas", undefined, {width: moments, height: count});
    const pen = canvas.getContext("2d"), image = pen.createImageData(moments, count);
    for (let row = 0, i = 0; row < count; row++)
      for (let column = 0; column < moments; column++, i += 4) {
        image.data.set(colour(value(row, column)), i);
        image.data[i + 3] = 255;
      }
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  /** Writes the names of classes on their rows. */
  function label(brush, names, value, step, em) {
    brush.font = `600 ${em}px system-ui, sans-serif`;
    brush.textBaseline = "middle";
    names.forEach((name, row) => {
      const bright = value(row, 0) > 3;
      brush.fillStyle = bright ? "#000" : "#fff";
      brush.shadowColor = bright ? "transparent" : "rgb(0 0 0/.7)";
      brush.shadowBlur = 3;
      brush.fillText(name.length > 28 ? `${name.slice(0, 27)}…` : name, (LEFT + 0.6) * em, (row + 0.5) * step - 1);
    });
    brush.shadowBlur = 0;
  }

  /** Returns the legend of the colours as nodes. */
  function scale() {
    return [0.01, 0.5, 0.9, 0.99, 0.9999].map((p) => {
      const item = Dom.element("span"), chip = Dom.element("i");
      chip.style.background = `rgb(${colour(Math.log(p / (1 - p))).join(" ")})`;
      item.append(chip, `${+(100 * p).toFixed(2)} %`);
      return item;
    });
  }

  return {AXES, COLOURS, across, emOf, horizontal, rows, scale};
})();
