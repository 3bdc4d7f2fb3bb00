// The page's network on the rings, epoch by epoch: its map, its errors and its loss.
"use strict";
{
  const { announcer, button, canvas, element, fixed, slider } = window.parts;

  const EDGE = 4.5; // of the plane, in each direction, as in the page's figure
  const GRID = 91; // places along a side of the map, as there
  const STRONGEST = 150; // opacity of the map, of 255: the points are to be seen on it
  const PACE = 110; // milliseconds for an epoch, when it plays

  // The page's network ----------------------------------------------------------------

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  /**
   * Rows of the weights, one per epoch, flat as `parameters_to_vector` makes them.
   * With a zero below its three bytes a number is 256 times what it was.
   */
  function readWeights({ sizes, weights, scale }) {
    const bytes = bytesOf(weights), padded = new Uint8Array((bytes.length / 3) * 4);
    bytes.forEach((byte, i) => (padded[4 * Math.floor(i / 3) + 1 + (i % 3)] = byte));
    const numbers = new Int32Array(padded.buffer);
    const all = Float32Array.from(numbers, (number) => (number / 256) * scale);
    const width = sizes.slice(1).reduce((sum, n, i) => sum + n * (sizes[i] + 1), 0);
    const starts = Array.from({ length: all.length / width }, (_, epoch) => epoch * width);
    return starts.map((start) => all.subarray(start, start + width));
  }

  /** Outputs of a layer: an array per unit, as `inputs` are, with a number per point. */
  function linear(weights, bias, inputs) {
    return Array.from(bias, (start, row) => {
      const sums = new Float64Array(inputs[0].length).fill(start);
      inputs.forEach((input, i) => {
        const weight = weights[row * inputs.length + i];
        for (let n = 0; n < sums.length; n++) sums[n] += weight * input[n];
      });
      return sums;
    });
  }

  /** The page's `forward`: a logit per point of standardised coordinates. */
  function forward(sizes, weights, inputs) {
    let at = 0, values = inputs;
    const take = (count) => weights.subarray(at, (at += count));
    sizes.slice(1).forEach((size, layer) => {
      if (layer) for (const unit of values) unit.forEach((x, n) => (unit[n] = Math.max(x, 0)));
      values = linear(take(size * values.length), take(size), values);
    });
    return values[0];
  }

  /** The file with its bytes read, and the logits of any points at any epoch. */
  function read(file) {
    const { sizes, mean, std, losses, errors } = file;
    const rows = readWeights(file);
    const flat = new Float32Array(bytesOf(file.points).buffer);
    const points = [0, 1].map((axis) => flat.filter((_, i) => i % 2 === axis));
    const logits = (epoch, coordinates) =>
      forward(sizes, rows[epoch], coordinates.map((values, axis) =>
        Float64Array.from(values, (value) => (value - mean[axis]) / std[axis])));
    return { logits, points, labels: file.labels, losses, errors, last: rows.length - 1 };
  }

  // The map -----------------------------------------------------------------------------

  const coordinate = (i) => -EDGE + (i / (GRID - 1)) * 2 * EDGE;
  const PLACES = [
    Float64Array.from({ length: GRID ** 2 }, (_, i) => coordinate(i % GRID)),
    Float64Array.from({ length: GRID ** 2 }, (_, i) => coordinate(Math.floor(i / GRID))),
  ]; // row by row, from below
  const onMap = (x, y) => `${x.toFixed(3)},${(-y).toFixed(3)}`; // y points down in SVG

  /** Where the logit is zero, a line through each triangle of the grid, as an SVG path. */
  function boundaryPath(logits) {
    const path = [];
    const crossing = ([i, j], [k, l]) => {
      const [from, to] = [logits[j * GRID + i], logits[l * GRID + k]];
      if (from > 0 === to > 0) return [];
      const share = from / (from - to);
      const place = [i + share * (k - i), j + share * (l - j)];
      return [onMap(...place.map(coordinate))];
    };
    for (let j = 0; j < GRID - 1; j++)
      for (let i = 0; i < GRID - 1; i++) {
        const at = j * GRID + i, isCloud = logits[at] > 0;
        const others = [at + 1, at + GRID, at + GRID + 1];
        if (others.every((other) => logits[other] > 0 === isCloud)) continue;
        for (const corner of [[i + 1, j], [i, j + 1]]) {
          const [start, end] = [[i, j], [i + 1, j + 1]];
          const ends = [[start, corner], [corner, end], [end, start]]
            .flatMap(([from, to]) => crossing(from, to));
          if (ends.length) path.push(`M${ends.join("L")}`);
        }
      }
    return path.join("");
  }

  /** Red, green and blue of a colour such as #1b5a92. */
  const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  /** Blue where the network says ring, rust where cloud; nothing at one half. */
  function paint(pen, { link, signal }, logits) {
    const colours = [link, signal].map(channels);
    const image = new ImageData(GRID, GRID);
    logits.forEach((logit, i) => {
      const above = GRID - 1 - Math.floor(i / GRID); // a canvas has its first row on top
      const strength = Math.abs(2 / (1 + Math.exp(-logit)) - 1);
      const pixel = [...colours[Number(logit > 0)], STRONGEST * strength];
      image.data.set(pixel, 4 * (above * GRID + (i % GRID)));
    });
    pen.putImageData(image, 0, 0);
  }

  /** A dot for each chosen point, as an SVG path of lines without length. */
  function dots({ points: [xs, ys], labels }, isChosen) {
    const places = labels.map((label, i) =>
      isChosen(label, i) ? `M${onMap(xs[i], ys[i])}h0` : ""
    );
    return places.join("");
  }

  // Error and loss against epoch --------------------------------------------------------

  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [300, 210, 28, 294, 8, 186];
  const SHARES = [0, 0.1, 0.2]; // that stand at the axis

  /** The picture, and a function that marks an epoch in it. */
  function chart({ errors, losses, last }) {
    const highest = 1.1 * Math.max(...errors, ...losses);
    const toX = (epoch) => LEFT + (epoch / last) * (RIGHT - LEFT);
    const toY = (value) => BOTTOM - (value / highest) * (BOTTOM - TOP);
    const onLine = (value, i) => `${toX(i + 1).toFixed(1)},${toY(value).toFixed(1)}`;
    const line = (name, values) =>
      element("polyline", { class: `rings-${name}`, points: values.map(onLine).join(" ") });
    const label = (text, x, y, dy, anchor) =>
      element("text", { x, y, dy, "text-anchor": anchor }, text);
    const some = Math.round(last / 3); // an epoch at which there is room for names
    const ticks = Array.from({ length: Math.floor(last / 20) + 1 }, (_, i) => 20 * i);
    const now = element("path", { class: "rings-now" });
    const dot = element("path", { class: "rings-dot" });
    const picture = element(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
        "aria-label": "Error and loss against epoch: the loss falls from the start, "
          + "the error stands still for long",
      },
      element("path", { class: "rings-axis", d: `M${LEFT},${TOP}V${BOTTOM}H${RIGHT}` }),
      now, line("loss", losses), line("error", errors), dot,
      ...SHARES.map((share) => label(share, LEFT - 5, toY(share), "0.35em", "end")),
      ...ticks.map((epoch) => label(epoch, toX(epoch), BOTTOM, "1.3em", "middle")),
      label("epoch", toX(10), BOTTOM, "1.3em", "middle"),
      label("error", toX(some), toY(errors[some]), "-0.5em", "middle"),
      label("loss", toX(some), toY(losses[some]), "1.5em", "middle")
    );
    const mark = (epoch, values) => {
      now.setAttribute("d", `M${toX(epoch)},${TOP}V${BOTTOM}`);
      const dots = values.map((value) => `M${toX(epoch)},${toY(value)}h0`);
      dot.setAttribute("d", dots.join(""));
    };
    return { picture, mark };
  }

  // What is on the page -----------------------------------------------------------------

  function build(place, file) {
    const network = read(file);
    const { points, labels, losses, last } = network;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)");
    let epoch = 0, logits = null, animation = 0;

    const epochs = slider("Epoch", { min: 0, max: last }, (value) => {
      stop();
      show(value);
    });
    const play = button("Play", () => (animation ? stop() : start()));
    const plane = canvas(GRID, GRID, { "aria-hidden": "true" }, (pen, colours) =>
      paint(pen, colours, logits)
    );
    const wrong = element("path", { class: "rings-wrong" });
    const boundary = element("path", { class: "rings-boundary" });
    const over = element(
      "svg",
      { viewBox: [-EDGE, -EDGE, 2 * EDGE, 2 * EDGE].join(" "), role: "img" },
      wrong,
      element("path", { class: "rings-ring", d: dots(network, (label) => !label) }),
      element("path", { class: "rings-cloud", d: dots(network, (label) => label) }),
      boundary
    );
    const lines = chart(network);
    const names = ["Wrong points", "Error", "Loss"];
    const values = names.map(() => element("dd"));
    const announcement = announcer();

    function show(newEpoch) {
      epoch = newEpoch;
      epochs.set(epoch);
      const answers = network.logits(epoch, points);
      const isWrong = (label, i) => answers[i] > 0 !== (label === 1);
      const count = labels.filter(isWrong).length, error = count / labels.length;
      wrong.setAttribute("d", dots(network, isWrong));
      logits = network.logits(epoch, PLACES);
      boundary.setAttribute("d", boundaryPath(logits));
      plane.redraw();
      const loss = epoch ? [losses[epoch - 1]] : []; // none before training
      lines.mark(epoch, [error, ...loss]);
      const texts = [
        `${count} of ${labels.length}`,
        fixed(error, 3),
        loss.length ? fixed(loss[0], 3) : "–",
      ];
      values.forEach((node, i) => (node.textContent = texts[i]));
      const sentence = `Epoch ${epoch}: ${texts[0]} points wrong, loss ${texts[2]}`;
      over.setAttribute("aria-label", `Map of the plane. ${sentence}`);
      announcement.say(sentence);
    }

    function stop() {
      cancelAnimationFrame(animation);
      animation = 0;
      play.textContent = "Play";
    }

    /** From here to the end, or once more from the start; at once if nothing may move. */
    function start() {
      const first = epoch === last ? 0 : epoch;
      let before = performance.now(), played = 0; // ms, but for those out of sight
      const frame = (now) => {
        played += Math.min(Math.max(now - before, 0), PACE);
        before = now;
        const next = isStill.matches ? last : Math.min(first + Math.floor(played / PACE), last);
        if (next !== epoch) show(next);
        if (next === last) return stop();
        animation = requestAnimationFrame(frame);
      };
      play.textContent = "Pause";
      animation = requestAnimationFrame(frame);
    }

    const div = (name, ...children) => element("div", { class: name }, ...children);
    place.replaceChildren(
      div("rings-epoch", epochs.node, play),
      div("rings-map", plane.node, over),
      div("rings-numbers",
        element("dl", {}, ...names.map((name, i) =>
          element("div", {}, element("dt", {}, name), values[i]))),
        lines.picture,
        element("p", { class: "rings-legend" },
          element("span", {}, "ring"), element("span"), element("span", {}, "cloud"))),
      announcement.node
    );
    show(0);
    announcement.hush(); // nothing has happened yet that is worth announcing
  }

  for (const place of document.querySelectorAll('[data-widget="boundary"]')) {
    const file = window.published?.[place.dataset.published];
    if (file) (window.requestIdleCallback ?? setTimeout)(() => build(place, file)); // Safari has none
  }
}
