// A box to draw a digit in, read by the network that the page has trained and published.
"use strict";
{
  const { element, announcer, ...parts } = window.parts;

  const SIDE = 420; // of the canvas, in its own pixels: sharp enough, and soon read
  const PEN = SIDE / 12; // the page trains for it, at any size of drawing
  const PIXELS = 28; // a side of what the network sees

  // The network: `weights_and_bias` and `probabilities` of the page --------------------

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const CHARACTERS =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+"; // for −31 to 31

  function readLayer({ weights, scale, bias }) {
    const weightOf = (character) => (CHARACTERS.indexOf(character) - 31) * scale;
    return {
      weights: Float32Array.from(weights, weightOf), // a row per output
      bias: Float32Array.from(bias),
    };
  }

  function linear({ weights, bias }, input) {
    return bias.map((value, row) => {
      const start = row * input.length;
      for (let i = 0; i < input.length; i++) value += weights[start + i] * input[i];
      return value;
    });
  }

  /** The chance of each digit for 784 pixels between 0 and 1. */
  function probabilities(layers, pixels) {
    let values = pixels;
    for (const layer of layers.slice(0, -1))
      values = linear(layer, values).map((value) => Math.max(value, 0));
    const logits = linear(layers.at(-1), values);
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power);
    return powers.map((power) => power / sum);
  }

  // The drawing in the form of MNIST: `centre` of the page -----------------------------

  /** Of ink per row or column: the length from first to last, and the centre of mass. */
  function measure(ink) {
    let sum = 0, moment = 0;
    ink.forEach((value, i) => {
      sum += value;
      moment += value * (i + 0.5);
    });
    const isInk = (value) => value > 0;
    const length = ink.findLastIndex(isInk) + 1 - ink.findIndex(isInk);
    return { length, middle: moment / sum };
  }

  /** For each of 28 windows, the first pixel that it covers, and its shares of pixels. */
  function windows(middle, width) {
    return Array.from({ length: PIXELS }, (_, window) => {
      const left = middle + width * (window - 14.5), right = left + width;
      const first = Math.max(Math.floor(left), 0), shares = [];
      for (let i = first; i < Math.min(right, SIDE); i++)
        shares.push((Math.min(right, i + 1) - Math.max(left, i)) / width);
      return { first, shares };
    });
  }

  /** The ink of the canvas as 784 pixels between 0 and 1; null if there is none. */
  function centre(pen) {
    const { data } = pen.getImageData(0, 0, SIDE, SIDE);
    const inkAt = (row, column) => data[4 * (row * SIDE + column) + 3] / 255;
    const down = new Float64Array(SIDE), across = new Float64Array(SIDE);
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++) {
        down[row] += inkAt(row, column);
        across[column] += inkAt(row, column);
      }
    if (!down.some((ink) => ink > 0)) return null;
    const vertical = measure(down), horizontal = measure(across);
    const width = Math.max(vertical.length, horizontal.length) / 20;
    const columns = windows(horizontal.middle, width);
    const pixels = windows(vertical.middle, width).map(({ first, shares }) => {
      const strip = new Float64Array(SIDE); // the rows of a window, weighted and summed
      shares.forEach((share, i) => {
        for (let column = 0; column < SIDE; column++)
          strip[column] += share * inkAt(first + i, column);
      });
      return columns.map((window) =>
        window.shares.reduce((sum, share, i) => sum + share * strip[window.first + i], 0)
      );
    });
    return Float32Array.from(pixels.flat());
  }

  // What is on the page ----------------------------------------------------------------

  /** Ink is the opacity of black; the style sheet makes it light on a dark page. */
  function paint(pen, pixels, scale) {
    pixels.forEach((ink, i) => {
      pen.fillStyle = `rgb(0 0 0 / ${ink})`;
      pen.fillRect((i % PIXELS) * scale, Math.floor(i / PIXELS) * scale, scale, scale);
    });
  }

  function paintStroke(pen, points) {
    Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(...points[0]);
    points.slice(1).forEach(([nextX, nextY], i) => {
      const [x, y] = points[i];
      pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    });
    const [x, y] = points.at(-1);
    pen.lineTo(x + 0.01, y); // not nothing, so that a touch leaves a dot
    pen.stroke();
  }

  function build(place, file) {
    const layers = file.layers.map(readLayer);
    const bytes = bytesOf(file.examples), size = PIXELS ** 2;
    const examples = Array.from({ length: 10 }, (_, digit) =>
      Float32Array.from(bytes.slice(digit * size, (digit + 1) * size), (byte) => byte / 255)
    );
    let example = null; // the digit under the strokes
    let strokes = []; // each a list of points
    let current = null; // the stroke being drawn, until it ends or is taken away
    let frame = 0; // what is waiting to be shown

    const paper = element("canvas", {
      width: SIDE, height: SIDE, role: "img",
      "aria-label": "Box to draw a digit in with mouse, pen or finger; "
        + "with the keyboard, choose a test digit",
    });
    const pen = paper.getContext("2d", { willReadFrequently: true });
    const seen = picture({ role: "img", "aria-label": "What the network sees" });
    const verdict = element("p", { class: "draw-verdict" });
    const voice = announcer();
    const bars = examples.map((_, digit) => {
      const bar = element("span", { class: "draw-bar", "aria-hidden": "true" });
      const number = element("span", { class: "draw-number" });
      return { bar, number, row: element("li", {}, `${digit} `, bar, number) };
    });

    function picture(attributes) {
      return element("canvas", { width: PIXELS, height: PIXELS, ...attributes });
    }

    function button(content, action) {
      return parts.button(content, () => {
        action();
        refresh();
      });
    }

    function exampleButton(pixels, digit) {
      const image = picture({ "aria-hidden": "true" });
      paint(image.getContext("2d"), pixels, 1);
      const node = button(image, () => startFrom(digit));
      node.className = "draw-example";
      node.setAttribute("aria-label", `Test digit ${digit}`);
      node.tabIndex = digit ? -1 : 0; // one stop of the Tab key, and arrows from there
      return node;
    }

    function walk(event) {
      const nodes = [...event.currentTarget.children];
      const at = nodes.indexOf(document.activeElement);
      const to = { ArrowLeft: at + 9, ArrowRight: at + 1, Home: 0, End: 9 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      nodes.forEach((node, i) => (node.tabIndex = i === to % 10 ? 0 : -1));
      nodes[to % 10].focus();
    }

    function startFrom(digit) {
      [example, strokes, current] = [digit, [], null];
    }

    function refresh() {
      frame ||= requestAnimationFrame(show);
    }

    function show() {
      frame = 0;
      pen.clearRect(0, 0, SIDE, SIDE);
      if (example !== null) paint(pen, examples[example], SIDE / PIXELS);
      for (const points of strokes) paintStroke(pen, points);
      const pixels = centre(pen);
      seen.getContext("2d").clearRect(0, 0, PIXELS, PIXELS);
      if (pixels) paint(seen.getContext("2d"), pixels, 1);
      paper.parentNode.classList.toggle("draw-empty", !pixels);
      showChances(pixels && probabilities(layers, pixels));
    }

    function showChances(chances) {
      const best = chances ? chances.indexOf(Math.max(...chances)) : -1;
      bars.forEach(({ bar, number, row }, digit) => {
        const percent = chances ? 100 * chances[digit] : 0;
        bar.style.setProperty("--chance", percent / 100);
        number.textContent = chances ? `${percent.toFixed(1)} %` : "–";
        row.classList.toggle("draw-best", digit === best);
      });
      const doubt = chances && chances[best] < 0.6 ? "perhaps " : "";
      verdict.textContent = chances ? `Read as ${doubt}${best}` : "Nothing to read yet";
      const sureness = chances ? `, ${bars[best].number.textContent}` : "";
      voice.say(verdict.textContent + sureness);
    }

    function point({ clientX, clientY }) {
      const { left, top, width } = paper.getBoundingClientRect();
      return [((clientX - left) / width) * SIDE, ((clientY - top) / width) * SIDE];
    }

    paper.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      paper.setPointerCapture(event.pointerId);
      current = [point(event)];
      strokes.push(current);
      refresh();
    });
    paper.addEventListener("pointermove", (event) => {
      if (!current || !paper.hasPointerCapture(event.pointerId)) return;
      current.push(point(event));
      refresh();
    });

    const div = (name, ...children) => element("div", { class: name }, ...children);
    const undo = button("Undo", () => {
      current = null;
      if (!strokes.pop()) startFrom(null);
    });
    const clear = button("Clear", () => startFrom(null));
    const row = div("draw-examples", ...examples.map(exampleButton));
    row.setAttribute("role", "toolbar");
    row.setAttribute("aria-label", "Test digits");
    row.addEventListener("keydown", walk);
    const caption = element("p", {}, "Left: what the network sees.");
    place.replaceChildren(
      div("draw-left", div("draw-paper draw-empty", paper), div("draw-buttons", undo, clear)),
      div("draw-right",
        div("draw-seen", div("draw-pixels", seen), div("draw-words", verdict, caption)),
        element("ul", { class: "draw-bars" }, ...bars.map((bar) => bar.row))),
      element("p", { class: "draw-label" }, "Or choose a test digit:"),
      row,
      voice.node
    );
    showChances(null);
    voice.hush(); // an empty box at the start is nothing to announce
  }

  for (const place of document.querySelectorAll('[data-widget="draw-a-digit"]')) {
    const file = window.published?.[place.dataset.published];
    if (file) (window.requestIdleCallback ?? setTimeout)(() => build(place, file)); // Safari has none
  }
}
