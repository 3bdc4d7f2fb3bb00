// A filter to move over the page's picture: set by hand, or learned by its network.
"use strict";
{
  const parts = window.parts, { element, fixed } = parts;

  const SIDE = 32; // of the picture
  const FRAME = SIDE + 4; // with the widest padding on both sides
  const DOT = 12; // pixels of the canvas for one of the picture
  const [ROW, COLUMN] = [12, 14]; // where the page's figure has its square and its dot
  const CHANNELS = ["red", "green", "blue"];
  const SET_BY_HAND = {
    "upright edges": [-1, 0, 1, -1, 0, 1, -1, 0, 1], // the page's two
    "level edges": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
    blur: Array(9).fill(0.11),
    sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  };
  const YOURS = "your own";

  const range = (count) => Array.from({ length: count }, (_, i) => i);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);

  // The page's code --------------------------------------------------------------------

  /** Places of a filter of k pixels in each direction, with padding p and stride s. */
  const numPlaces = (k, p, s) => Math.floor((SIDE + 2 * p - k) / s) + 1;

  /** What the filters look at, each channel flat: the picture in grey, or standardised. */
  function readPicture({ picture, channel_mean: mean, channel_std: std }) {
    const bytes = picture.map((channel) => channel.flat());
    const grey = bytes[0].map((_, i) => sum(bytes.map((channel) => channel[i])) / 3 / 255);
    const colour = bytes.map((channel, c) =>
      channel.map((byte) => (byte - mean[c]) / std[c])
    );
    return { bytes, mean, grey: [grey], colour };
  }

  function readFilter(slices, bias) {
    return { k: slices[0].length, slices: slices.map((rows) => rows.flat()), bias };
  }

  /** The k × k pixels from a row and a column on; outside of the picture are zeros. */
  function patchOf(channel, k, top, left) {
    const isInside = (at) => at >= 0 && at < SIDE;
    return range(k * k).map((i) => {
      const row = top + Math.floor(i / k), column = left + (i % k);
      return isInside(row) && isInside(column) ? channel[row * SIDE + column] : 0;
    });
  }

  /** For each slice, patch, products and their sum; the answer, and what the map gets. */
  function answerAt({ k, slices, bias }, channels, top, left) {
    const work = slices.map((weights, c) => {
      const patch = patchOf(channels[c], k, top, left);
      const products = patch.map((value, i) => value * weights[i]);
      return { patch, weights, products, sum: sum(products) };
    });
    const answer = sum(work.map((slice) => slice.sum)) + (bias ?? 0);
    const isLearned = bias !== undefined;
    return { work, answer, value: isLearned ? Math.max(answer, 0) : answer };
  }

  // The pictures ------------------------------------------------------------------------

  const grey = (part) => `rgb(${range(3).map(() => Math.round(255 * part)).join(" ")})`;

  function paintPixel(pen, colour, x, y) {
    pen.fillStyle = colour;
    pen.fillRect(x * DOT, y * DOT, DOT, DOT);
  }

  function outline(pen, { paper, signal }, x, y, size) {
    const box = [x * DOT, y * DOT, size * DOT, size * DOT];
    Object.assign(pen, { lineWidth: 7, strokeStyle: paper });
    pen.strokeRect(...box);
    Object.assign(pen, { lineWidth: 4, strokeStyle: signal });
    pen.strokeRect(...box);
  }

  /** A learned filter as a small colour picture, as the page shows it. */
  function thumbnail({ k, slices }) {
    const all = slices.flat(), low = Math.min(...all), high = Math.max(...all);
    const node = element("canvas", { width: k, height: k, "aria-hidden": "true" });
    const pen = node.getContext("2d");
    for (const i of range(k * k)) {
      const shares = slices.map((weights) => (255 * (weights[i] - low)) / (high - low));
      pen.fillStyle = `rgb(${shares.map(Math.round).join(" ")})`;
      pen.fillRect(i % k, Math.floor(i / k), 1, 1);
    }
    return node;
  }

  // What is on the page --------------------------------------------------------------------

  function build(place, file) {
    const picture = readPicture(file);
    const learned = file.filters.map((rows, i) => readFilter(rows, file.biases[i]));
    let own = [...SET_BY_HAND["upright edges"]];
    let chosen = "upright edges", filter, channels; // the filter, and what it looks at
    let padding = 0, stride = 1, row = ROW, column = COLUMN, channel = 0;
    let places, map, now; // in each direction; all values; the answer at row and column

    const frame = { width: FRAME * DOT, height: FRAME * DOT };
    const look = canvas({
      role: "application",
      "aria-label": "Picture with the filter on it; arrow keys, Home, End, Page Up and "
        + "Page Down move the filter",
    }, drawPicture);
    const mapCanvas = canvas({ role: "img" }, drawMap);
    const tables = { 3: makeTables(3), 5: makeTables(5) };
    const inputs = tables[3].weights.cells.map(weightField);
    const result = element("p", { class: "convolution-sum" });
    const mapSize = element("figcaption"), formula = element("p");
    const work = element("div", { class: "convolution-work" });
    const voice = parts.announcer();

    const filters = parts.choice("Filter", [
      ...[...Object.keys(SET_BY_HAND), YOURS].map((name) => [name, name]),
      ...learned.map((one, i) => [i, thumbnail(one), `learned filter ${i + 1}`]),
    ], choose);
    const paddings = parts.choice("Padding", [0, 1, 2].map((p) => [p, p]), (p) =>
      moveOn(() => (padding = p)));
    const strides = parts.choice("Stride", [1, 2, 3].map((s) => [s, s]), (s) =>
      moveOn(() => (stride = s)));
    const slices = parts.choice("Slice shown", CHANNELS.map((name, c) => [c, name]), (c) => {
      channel = c;
      showWork();
    });

    function canvas(attributes, draw) {
      return parts.canvas(frame.width, frame.height, attributes, draw);
    }

    function makeTables(k) {
      const [patch, weights, products] = ["Patch", "Weights", "Products"].map((name) =>
        parts.numbers(name, k, k));
      return { patch, weights, products };
    }

    function weightField(cell, i) {
      const name = `Weight in row ${Math.floor(i / 3)}, column ${i % 3}`;
      const input = element("input", { type: "number", step: 0.1, "aria-label": name });
      input.addEventListener("input", () => {
        if (chosen !== YOURS) own = [...SET_BY_HAND[chosen]];
        own[i] = Math.min(Math.max(Number(input.value), -99), 99);
        filters.set(YOURS);
        choose(YOURS, input);
      });
      input.addEventListener("change", () => (input.value = own[i])); // as it was taken
      cell.append(input);
      return input;
    }

    /** Another filter, over the same part of the picture; `typed` is left as it is. */
    function choose(name, typed) {
      moveOn(() => {
        chosen = name;
        const weights = SET_BY_HAND[name] ?? own;
        filter = learned[name] ?? { k: 3, slices: [weights] };
        channels = learned[name] ? picture.colour : picture.grey;
        inputs.forEach((input, i) => {
          if (input !== typed) input.value = weights[i];
        });
      });
    }

    /** Make a change that moves the places; go to the one nearest to where we were. */
    function moveOn(change) {
      const before = filter && { top: topLeft(row), left: topLeft(column), k: filter.k };
      change();
      const { k } = filter;
      places = numPlaces(k, padding, stride);
      map = range(places ** 2).map((i) => {
        const at = [topLeft(Math.floor(i / places)), topLeft(i % places)];
        return answerAt(filter, channels, ...at).value;
      });
      if (before) {
        const nearest = (start) => Math.round((start + (before.k - k) / 2 + padding) / stride);
        [row, column] = [nearest(before.top), nearest(before.left)];
      }
      mapSize.textContent = `Map, ${places} × ${places}`;
      const part = `⌊(${SIDE} + 2 · ${padding} − ${k}) / ${stride}⌋`;
      formula.textContent = `Places in each direction: ${part} + 1 = ${places}`;
      goTo(row, column);
    }

    const topLeft = (at) => at * stride - padding; // of a place, in pixels of the picture

    function goTo(newRow, newColumn) {
      [row, column] = [clamp(newRow, places - 1), clamp(newColumn, places - 1)];
      now = answerAt(filter, channels, topLeft(row), topLeft(column));
      look.redraw();
      mapCanvas.redraw();
      showWork();
      const where = `Row ${row}, column ${column} of the map`;
      mapCanvas.node.setAttribute("aria-label", `Map of the answers. ${where} is marked.`);
      voice.say(`${where}: ${fixed(now.value, 3)}.`);
    }

    function showWork() {
      const { k, bias } = filter, isLearned = bias !== undefined;
      const { patch, weights, products } = tables[k];
      const slice = now.work[isLearned ? channel : 0];
      patch.show(slice.patch, { largest: isLearned ? 2 : 1 });
      if (isLearned) weights.show(slice.weights);
      else inputs.forEach((input, i) => parts.tint(input.parentNode, slice.weights[i] / 2));
      products.show(slice.products, isLearned ? {} : { largest: 2 });
      const nodes = [patch.node, weights.node, products.node, result];
      if (work.firstChild !== patch.node) work.replaceChildren(...nodes);
      slices.node.classList.toggle("convolution-hidden", !isLearned);
      result.replaceChildren(...sentence(isLearned));
    }

    /** How the products become the value at this place of the map. */
    function sentence(isLearned) {
      const strong = (value) => element("strong", {}, fixed(value, 3));
      const end = `, at row ${row}, column ${column} of the map.`;
      if (!isLearned) return ["Sum of the 9 products: ", strong(now.answer), end];
      const sums = now.work.map((slice, c) => `${CHANNELS[c]} ${fixed(slice.sum, 3)}`);
      const start = `${sums.join(" + ")} + bias ${fixed(filter.bias, 3)} = `;
      return [start, strong(now.answer), ", after ReLU ", strong(now.value), end];
    }

    function drawPicture(pen, colours) {
      if (!filter) return;
      const side = SIDE + 2 * padding, start = (FRAME - side) / 2;
      pen.fillStyle = colours.tint;
      pen.fillRect(0, 0, frame.width, frame.height);
      const isColour = channels === picture.colour;
      const rgb = (i) => `rgb(${picture.bytes.map((channel) => channel[i]).join(" ")})`;
      const zero = isColour ? `rgb(${picture.mean.map(Math.round).join(" ")})` : grey(0);
      for (const y of range(side))
        for (const x of range(side)) paintPixel(pen, zero, start + x, start + y);
      for (const i of range(SIDE ** 2)) {
        const colour = isColour ? rgb(i) : grey(picture.grey[0][i]);
        paintPixel(pen, colour, 2 + (i % SIDE), 2 + Math.floor(i / SIDE));
      }
      outline(pen, colours, 2 + topLeft(column), 2 + topLeft(row), filter.k);
    }

    function drawMap(pen, colours) {
      if (!map) return;
      const start = (FRAME - places) / 2;
      const low = Math.min(...map), span = Math.max(...map) - low || 1;
      pen.fillStyle = colours.tint;
      pen.fillRect(0, 0, frame.width, frame.height);
      map.forEach((value, i) => {
        const x = start + (i % places), y = start + Math.floor(i / places);
        paintPixel(pen, grey((value - low) / span), x, y);
      });
      outline(pen, colours, start + column, start + row, 1);
    }

    parts.arrows(look.node, (right, down) => goTo(row + down, column + right));
    parts.point(look.node, (x, y) => {
      const at = (share) =>
        Math.round((share * FRAME - 2 - filter.k / 2 + padding) / stride);
      goTo(at(y), at(x));
    });
    parts.point(mapCanvas.node, (x, y) => {
      const at = (share) => Math.floor(share * FRAME - (FRAME - places) / 2);
      goTo(at(y), at(x));
    });

    const figure = (node, caption) => element("figure", {}, node, caption);
    place.replaceChildren(
      filters.node,
      element("div", { class: "convolution-pictures" },
        figure(look.node, element("figcaption", {}, `Picture, ${SIDE} × ${SIDE}`)),
        figure(mapCanvas.node, mapSize)),
      element("div", { class: "convolution-choices" },
        paddings.node, strides.node, slices.node),
      formula, work, voice.node
    );
    for (const [part, value] of [[paddings, 0], [strides, 1], [slices, 0]]) part.set(value);
    filters.set(chosen);
    choose(chosen);
    voice.hush(); // nothing has happened yet that is worth announcing
  }

  for (const place of document.querySelectorAll('[data-widget="convolution"]')) {
    const file = window.published?.[place.dataset.published];
    if (file) build(place, file);
  }
}
