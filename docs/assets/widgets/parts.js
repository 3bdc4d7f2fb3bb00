// What widgets share, as `window.parts`; loaded before them, with parts.css.
//
// element(name, attributes, ...children)  an HTML or SVG element.
// fixed(value, decimals)                  a number as Python prints it.
// button(content, action)                 a button of the site's look.
// group(label, ...buttons)                a row of them, with its name above.
// slider(label, { min, max, step }, onInput)
//     A labelled slider with its number beside it: { node, set(value, text) }. It calls
//     onInput(number); `set` moves it and calls nothing. `text` is what is shown and
//     read out; the number as it is, if left out.
// choice(label, options, onChoose)
//     Buttons of which one is chosen, native radio buttons underneath, so that the
//     arrow keys work: { node, set(value) }. Options are [value, content, name], where
//     the name is needed only for a content without words. Calls onChoose(value); `set`
//     calls nothing.
// numbers(label, rows, columns)
//     A table of numbers in blue (positive) and rust (negative), the stronger the
//     larger: { node, cells, show(values, { largest, decimals }) }. The values are flat,
//     row by row; `largest` gets the strongest colour: by default the largest of them.
//     Cells may be given other contents than text; see `tint`.
// tint(node, part)
//     Gives anything that colour, for a part from -1 to 1. Styles do the rest, in both
//     colour schemes.
// canvas(width, height, attributes, draw)
//     A canvas that draws itself anew when the colour scheme changes: { node, redraw }.
//     Calls draw(pen, colours) on an empty canvas; colours have the names of site.css:
//     paper, ink, muted, hairline, tint, link, signal.
// arrows(node, move)
//     Makes an element a stop of the Tab key, and calls move(right, down) with -1, 0 or
//     1 for an arrow key, with -Infinity or Infinity for Home, End, Page Up, Page Down.
// point(node, move)
//     Calls move(x, y), both from 0 to 1, where mouse, pen or finger press and drag. Its
//     style wants `touch-action: none`, or the finger scrolls.
// announcer()
//     Tells those who do not see it what has changed, once there is quiet:
//     { node, say(text), hush() }; `hush` takes back what is waiting to be said.
// onceNear(node, action)
//     Calls action() once, when the node comes near to what is seen of the page: what
//     takes long and few look at.
//
// A widget is not printed: what stands in its place without scripts is kept for paper.
"use strict";
{
  const QUIET = 700; // milliseconds without a change before the result is announced
  const DRAWN = /^(svg|g|path|polyline|line|circle|rect|text)$/;
  const KEYS = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    Home: [-Infinity, 0], End: [Infinity, 0],
    PageUp: [0, -Infinity], PageDown: [0, Infinity],
  };
  const COLOURS = ["paper", "ink", "muted", "hairline", "tint", "link", "signal"];
  const canvases = []; // the functions that draw them
  let numGroups = 0;

  function element(name, attributes = {}, ...children) {
    const space = `http://www.w3.org/${DRAWN.test(name) ? "2000/svg" : "1999/xhtml"}`;
    const node = document.createElementNS(space, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    node.append(...children);
    return node;
  }

  /** Of two decimals that are as near, the one that ends evenly; and no -0.00. */
  function fixed(value, decimals) {
    const scaled = value * 10 ** decimals;
    const isTie = Math.abs(scaled % 1) === 0.5 && Number.isInteger(value * 2 ** 20);
    const near = isTie ? (2 * Math.round(scaled / 2)) / 10 ** decimals : value;
    return near.toFixed(decimals).replace(/^-(?=[0.]*$)/, "");
  }

  function button(content, action) {
    const node = element("button", { type: "button", class: "md-button" }, content);
    node.addEventListener("click", action);
    return node;
  }

  function group(label, ...nodes) {
    const row = element("div", { class: "parts-row" }, ...nodes);
    return element("fieldset", { class: "parts-group" }, element("legend", {}, label), row);
  }

  function slider(label, limits, onInput) {
    const number = element("span", { class: "parts-value" });
    const input = element("input", { type: "range", ...limits });
    const set = (value, text = String(value)) => {
      input.value = value;
      input.setAttribute("aria-valuetext", text);
      number.textContent = text;
    };
    input.addEventListener("input", () => {
      set(input.value);
      onInput(Number(input.value));
    });
    const name = element("span", {}, label);
    number.setAttribute("aria-hidden", "true"); // the slider says it
    return { node: element("label", { class: "parts-slider" }, name, input, number), set };
  }

  function choice(label, options, onChoose) {
    const number = numGroups++;
    const inputs = options.map(([value, , name]) => {
      const attributes = { type: "radio", name: `parts-${number}`, class: "visually-hidden" };
      const input = element("input", attributes);
      if (name) input.setAttribute("aria-label", name);
      input.addEventListener("change", () => onChoose(value));
      return input;
    });
    const labels = options.map(([, content], i) =>
      element("label", {}, inputs[i], element("span", {}, content))
    );
    const set = (chosen) =>
      options.forEach(([value], i) => (inputs[i].checked = value === chosen));
    const node = group(label, ...labels);
    node.classList.add("parts-choice");
    return { node, set };
  }

  function tint(node, part) {
    node.classList.add("parts-tinted");
    node.style.setProperty("--part", Math.min(Math.abs(part), 1).toFixed(3));
    node.classList.toggle("parts-negative", part < 0);
  }

  function numbers(label, rows, columns) {
    const cells = Array.from({ length: rows * columns }, () => element("td"));
    const lines = Array.from({ length: rows }, (_, row) =>
      element("tr", {}, ...cells.slice(row * columns, (row + 1) * columns))
    );
    const node = element(
      "table", { class: "parts-numbers" },
      element("caption", {}, label), element("tbody", {}, ...lines)
    );
    const show = (values, { largest, decimals = 2 } = {}) => {
      const whole = largest ?? (Math.max(...values.map(Math.abs)) || 1);
      cells.forEach((cell, i) => {
        cell.textContent = fixed(values[i], decimals);
        tint(cell, values[i] / whole);
      });
    };
    return { node, cells, show };
  }

  function canvas(width, height, attributes, draw) {
    const node = element("canvas", { width, height, ...attributes });
    const redraw = () => {
      const style = getComputedStyle(document.body), pen = node.getContext("2d");
      const colour = (name) => [name, style.getPropertyValue(`--${name}`)];
      pen.clearRect(0, 0, node.width, node.height);
      draw(pen, Object.fromEntries(COLOURS.map(colour)));
    };
    canvases.push(redraw);
    return { node, redraw };
  }

  function arrows(node, move) {
    node.tabIndex = 0;
    node.addEventListener("keydown", (event) => {
      const { key, altKey, ctrlKey, metaKey } = event;
      if (!(key in KEYS) || altKey || ctrlKey || metaKey) return;
      event.preventDefault();
      move(...KEYS[key]);
    });
  }

  function point(node, move) {
    const follow = ({ clientX, clientY }) => {
      const { left, top, width, height } = node.getBoundingClientRect();
      const share = (part) => Math.min(Math.max(part, 0), 1);
      move(share((clientX - left) / width), share((clientY - top) / height));
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      node.setPointerCapture(event.pointerId);
      follow(event);
    });
    node.addEventListener("pointermove", (event) => {
      if (node.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  function announcer() {
    const node = element("p", { class: "visually-hidden", role: "status" });
    let timer = 0;
    const hush = () => clearTimeout(timer);
    const say = (text) => {
      hush();
      timer = setTimeout(() => (node.textContent = text), QUIET);
    };
    return { node, say, hush };
  }

  function onceNear(node, action) {
    const look = (entries, near) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      action();
    };
    new IntersectionObserver(look, { rootMargin: "100%" }).observe(node);
  }

  for (const place of document.querySelectorAll("[data-widget]")) {
    const sentence = [...place.children].map((child) => child.cloneNode(true));
    place.before(element("div", { class: "parts-on-paper" }, ...sentence));
  }

  const redrawAll = () => canvases.forEach((redraw) => redraw());
  new MutationObserver(redrawAll).observe(document.body, {
    attributeFilter: ["data-md-color-scheme"],
  });

  window.parts = {
    element, fixed, button, group, slider, choice, numbers, tint, canvas, arrows,
    point, announcer, onceNear,
  };
}
