"use strict";
// How it came about: the median's curve, and below it a row of colour for every class.
const Strip = (() => {
  const SVG = "http://www.w3.org/2000/svg", LEFT = 46, RIGHT = 12, TOP = 10, BOTTOM = 26, HEIGHT = 150;
  const COLOURS = ["--two", "--one", "--three", "--four", "--five", "--six"];
  const STOPS = [[-7, [22, 24, 52]], [-3, [74, 44, 122]], [0, [176, 58, 96]], [2.2, [234, 120, 60]],
    [4.6, [248, 200, 92]], [9.2, [255, 248, 214]]];

  function colour(odds) {
    if (odds <= STOPS[0][0]) return STOPS[0][1];
    for (let i = 1; i < STOPS.length; i++) {
      const [high, to] = STOPS[i], [low, from] = STOPS[i - 1];
      if (odds <= high) return from.map((v, k) => Math.round(v + ((odds - low) / (high - low)) * (to[k] - v)));
    }
    return STOPS[STOPS.length - 1][1];
  }

  const share = (odds) => 1 / (1 + Math.exp(-odds));

  function decode(strip) {
    const bytes = Uint8Array.from(atob(strip.odds), (letter) => letter.charCodeAt(0));
    const values = new Uint16Array(bytes.buffer);
    return (row, column) => (values[row * strip.generations.length + column] - 32768) / 2000;
  }

  function make(name, attributes, parent, words) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (words !== undefined) element.textContent = words;
    parent.append(element);
  }

  // What can lie across: how much of it was spent by each moment, as logarithms, and where its ticks are.
  const DECADES = Array.from({length: 10}, (_, power) => 10 ** power);
  const AXES = {
    evaluations: {name: "evaluations", logs: (strip) => strip.evaluations.map(Math.log),
      ticks: DECADES.map((at, i) => [at, at.toLocaleString("en") + " evaluations", at.toLocaleString("en")])},
    time: {name: "wall time", logs: (strip) => strip.seconds.map((seconds) => Math.log(Math.max(0.001, seconds))),
      ticks: [[0.001, "1 ms"], [0.01, "10 ms"], [0.1, "0.1 s"], [1, "1 s"], [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [36000, "10 h"], [360000, "100 h"]]},
  };

  /** Median curves of all sources that have one, over evaluations or time. */
  function medians(place, strips, across) {
    const axis = AXES[across], logs = strips.map(axis.logs);
    const width = place.clientWidth;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `Median confidence over ${axis.name}`);
    const high = Math.max(...logs.map((own) => own.at(-1))), low = Math.min(...logs.map((own) => own[0]));
    const x = (log) => LEFT + ((log - low) / Math.max(1e-9, high - low)) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM);
    for (const value of [0, 0.5, 1]) {
      make("line", {class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value)}, svg);
      make("text", {x: LEFT - 8, y: y(value) + 4.5, "text-anchor": "end"}, svg, `${100 * value} %`);
    }
    const ticks = axis.ticks.filter(([at]) => Math.log(at) >= low - 0.01 && Math.log(at) <= high);
    ticks.forEach(([at, words, short], i) => {
      const place = x(Math.log(at));
      make("line", {class: "axis", x1: place, x2: place, y1: y(0), y2: y(1)}, svg);
      const anchor = place > width - 110 ? "end" : "middle";
      make("text", {x: place, y: HEIGHT - 7, "text-anchor": anchor}, svg, short && i < ticks.length - 1 ? short : words);
    });
    strips.forEach((strip, at) => {
      const points = logs[at].map((log, i) => `${x(log).toFixed(1)} ${y(strip.medians[i]).toFixed(1)}`);
      make("path", {class: "line", d: `M${points.join("L")}`, style: `stroke:var(${COLOURS[strip.at % 6]})`}, svg);
    });
    place.replaceChildren(svg);
  }

  /** The rows of one source; returns what to tell of a place on it. */
  function rows(canvas, strip, across) {
    const value = decode(strip), count = strip.names.length, moments = strip.generations.length;
    const labelled = count <= 24, step = labelled ? 22 : Math.max(1, Math.min(8, Math.round(320 / count)));
    const ratio = Math.min(2, window.devicePixelRatio || 1), width = canvas.clientWidth;
    const height = labelled ? step * count : Math.min(count * step, 420);
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const plain = document.createElement("canvas");
    plain.width = moments;
    plain.height = count;
    const pen = plain.getContext("2d"), image = pen.createImageData(moments, count);
    for (let row = 0, i = 0; row < count; row++)
      for (let column = 0; column < moments; column++, i += 4) {
        image.data.set(colour(value(row, column)), i);
        image.data[i + 3] = 255;
      }
    pen.putImageData(image, 0, 0);
    const logs = AXES[across].logs(strip), high = logs.at(-1), low = logs[0];
    const x = (column) => LEFT + ((logs[column] - low) / Math.max(1e-9, high - low)) * (width - LEFT - RIGHT);
    // a moment's column goes half the way to its neighbours
    const edge = (column) => column === 0 ? LEFT : column === moments ? width - RIGHT : (x(column - 1) + x(column)) / 2;
    const brush = canvas.getContext("2d");
    brush.scale(ratio, ratio);
    brush.imageSmoothingEnabled = !labelled;
    for (let column = 0; column < moments; column++) {
      const left = edge(column), right = edge(column + 1);
      if (labelled) for (let row = 0; row < count; row++) brush.drawImage(plain, column, row, 1, 1, left, row * step, right - left + 0.6, step - 2);
      else brush.drawImage(plain, column, 0, 1, count, left, 0, right - left + 0.6, height);
    }
    if (labelled) {
      brush.font = "600 13px system-ui, sans-serif";
      brush.textBaseline = "middle";
      strip.names.forEach((name, row) => {
        brush.fillStyle = value(row, 0) > 3 ? "#000" : "#fff";
        const short = name.length > 28 ? `${name.slice(0, 27)}…` : name;
        brush.shadowColor = value(row, 0) > 3 ? "transparent" : "rgb(0 0 0/.7)";
        brush.shadowBlur = 3;
        brush.fillText(short, LEFT + 8, (row + 0.5) * step - 1);
      });
      brush.shadowBlur = 0;
    }
    return (left, top) => {
      const row = Math.max(0, Math.min(count - 1, Math.floor((top / height) * count)));
      let column = 0;
      while (column + 1 < moments && edge(column + 1) <= left) column++;
      return {name: strip.names[row], generation: strip.generations[column], evaluations: strip.evaluations[column],
        confidence: share(value(row, column))};
    };
  }

  /** The colours' meaning, as nodes. */
  function scale() {
    return [0.01, 0.5, 0.9, 0.99, 0.9999].map((p) => {
      const one = document.createElement("span"), chip = document.createElement("i");
      chip.style.background = `rgb(${colour(Math.log(p / (1 - p))).join(" ")})`;
      one.append(chip, `${+(100 * p).toFixed(2)} %`);
      return one;
    });
  }

  return {medians, rows, scale};
})();
