"use strict";
// Median confidence over evaluations or time: a curve for every run, and a band over runs that differ in their seeds.
const Curves = (() => {
  /** Margins and height in ems, and least height between two labels. */
  const TOP = 0.8, BOTTOM = 3.6, HEIGHT = 16, APART = 1.5;
  /** Number of moments of a band. */
  const MOMENTS = 120;

  /** Returns the value of a curve at `at`, between its points; points rise. */
  function between(points, values, at) {
    const right = points.findIndex((point) => point >= at);
    if (right <= 0) return values[right < 0 ? values.length - 1 : 0];
    const share = (at - points[right - 1]) / Math.max(1e-9, points[right] - points[right - 1]);
    return values[right - 1] + share * (values[right] - values[right - 1]);
  }

  const middle = (values) => {
    const sorted = [...values].sort((a, b) => a - b), half = (sorted.length - 1) / 2;
    return (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
  };

  /** Returns lowest, middle and highest curve of several, where all of them are: {at, low, middle, high} by moment. */
  function band(curves) {
    const first = Math.max(...curves.map(({logs}) => logs[0])), last = Math.min(...curves.map(({logs}) => logs.at(-1)));
    if (last <= first) return [];
    return Array.from({length: MOMENTS}, (_, moment) => {
      const at = first + (moment / (MOMENTS - 1)) * (last - first);
      const values = curves.map(({logs, odds}) => between(logs, odds, at));
      return {at, low: Math.min(...values), middle: middle(values), high: Math.max(...values)};
    });
  }

  /** Returns the curves of every group that has several, by group. */
  function bands(curves) {
    const groups = Map.groupBy ? Map.groupBy(curves, ({group}) => group) : new Map();
    if (!Map.groupBy) for (const curve of curves) groups.set(curve.group, [...(groups.get(curve.group) || []), curve]);
    return [...groups.values()].filter((group) => group.length > 1);
  }

  /** Draws all strips into `parent`, over evaluations or time. */
  function draw(parent, strips, across) {
    const axis = Strip.AXES[across], width = parent.clientWidth, em = Strip.emOf(parent), height = HEIGHT * em;
    const svg = Dom.svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Median confidence over ${axis.name}`});
    parent.replaceChildren(svg);
    const curves = strips.map((strip) => ({...strip, logs: axis.logs(strip), odds: strip.medians.map(Odds.of)}));
    const high = Math.max(...curves.map(({logs}) => logs.at(-1))), low = Math.min(...curves.map(({logs}) => logs[0]));
    const x = Strip.horizontal(low, high, width, em), [left, right] = [x(low), x(high)];
    const ticks = Odds.ticks(curves.flatMap(({odds}) => odds));
    const all = [...ticks, ...curves].flatMap(({odds}) => odds), bottom = Math.min(...all), top = Math.max(...all);
    const y = (odds) => (TOP + ((top - odds) / (top - bottom)) * (HEIGHT - TOP - BOTTOM)) * em;
    let above = -Infinity;
    for (const {odds, label} of ticks.toReversed?.() || [...ticks].reverse()) {
      const at = y(odds);
      Dom.svg("line", {class: "axis level", x1: left, x2: right, y1: at, y2: at}, svg);
      if (at < above + APART * em) continue;
      Dom.svg("text", {x: left - 0.6 * em, y: at + 0.35 * em, "text-anchor": "end"}, svg, label);
      above = at;
    }
    Strip.across(svg, axis, low, high, x, [TOP * em, (HEIGHT - BOTTOM) * em], width, height, em);
    const path = (points) => points.map(([at, odds]) => `${x(at).toFixed(1)} ${y(odds).toFixed(1)}`).join("L");
    const groups = bands(curves), colour = ({key}) => `var(${Strip.COLOURS[key % Strip.COLOURS.length]})`;
    const drawn = groups.map((group) => ({key: groups.length > 1 ? group[0].key : null, moments: band(group)}));
    for (const {key, moments} of drawn.filter((one) => one.moments.length)) {
      const around = [...moments.map(({at, high: up}) => [at, up]), ...moments.map(({at, low: down}) => [at, down]).reverse()];
      Dom.svg("path", {class: "band", d: `M${path(around)}Z`, style: `fill:${key === null ? "var(--ink)" : colour({key})}`}, svg);
    }
    for (const curve of curves) {
      const thin = groups.some((group) => group.includes(curve)) ? " thin" : "";
      const points = curve.logs.map((log, moment) => [log, curve.odds[moment]]);
      Dom.svg("path", {class: `line${thin}`, d: `M${path(points)}`, style: `stroke:${colour(curve)}`}, svg);
    }
    for (const {key, moments} of drawn.filter((one) => one.moments.length)) {
      const style = `stroke:${key === null ? "var(--ink)" : colour({key})}`;
      Dom.svg("path", {class: "line middle", d: `M${path(moments.map(({at, middle: value}) => [at, value]))}`, style}, svg);
    }
  }

  return {draw};
})();
