"use strict";
// Elements of the page, found and made.
const Dom = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  const byId = (id) => document.getElementById(id);

  function withAttributes(node, text, attributes) {
    if (text !== undefined) node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  /** Returns a new element with a text and attributes. */
  const element = (name, text, attributes = {}) => withAttributes(document.createElement(name), text, attributes);

  /** Returns a new element of a drawing, as the last child of `parent` where there is one. */
  function svg(name, attributes, parent, text) {
    const node = withAttributes(document.createElementNS(SVG, name), text, attributes);
    parent?.append(node);
    return node;
  }

  /** Returns a text whose direction has no effect on what stands around it. */
  const isolated = (text) => element("bdi", text);

  return {byId, element, svg, isolated};
})();
