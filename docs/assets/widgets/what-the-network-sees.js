// The layers of the page's LeNet for a test picture: their maps, filters, probabilities.
"use strict";
{
  const { announcer, choice, element, fixed, onceNear } = window.parts;

  const SIDE = 32; // of a picture

  // The page's network ----------------------------------------------------------------

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  function readLayer({ weights, scale, bias }) {
    const wholeNumbers = new Int8Array(bytesOf(weights).buffer); // a row per output
    return { weights: Float32Array.from(wholeNumbers, (weight) => weight * scale), bias };
  }

  /** A convolution of maps, each an array of side × side, and its ReLU. */
  function convolve({ weights, bias }, maps, side) {
    const kernel = Math.sqrt(weights.length / bias.length / maps.length);
    const newSide = side - kernel + 1;
    return bias.map((start, filter) => {
      const sums = new Float32Array(newSide ** 2).fill(start);
      let at = filter * maps.length * kernel ** 2;
      for (const map of maps)
        for (let down = 0; down < kernel; down++)
          for (let across = 0; across < kernel; across++, at++)
            for (let row = 0; row < newSide; row++)
              for (let column = 0; column < newSide; column++)
                sums[row * newSide + column] +=
                  weights[at] * map[(row + down) * side + column + across];
      return sums.map((sum) => Math.max(sum, 0));
    });
  }

  /** The largest of each two by two places. */
  function pool(maps, side) {
    const newSide = side / 2;
    return maps.map((map) =>
      Float32Array.from({ length: newSide ** 2 }, (_, i) => {
        const corner = 2 * Math.floor(i / newSide) * side + 2 * (i % newSide);
        const places = [corner, corner + 1, corner + side, corner + side + 1];
        return Math.max(...places.map((place) => map[place]));
      })
    );
  }

  function linear({ weights, bias }, input) {
    return bias.map((value, row) => {
      const start = row * input.length;
      for (let i = 0; i < input.length; i++) value += weights[start + i] * input[i];
      return value;
    });
  }

  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power);
    return powers.map((power) => power / sum);
  }

  /** The page's `forward`: the maps of four steps, and the probabilities. */
  function look(network, picture) {
    const { conv1, conv2, linear1, linear2, linear3 } = network.layers;
    const pixels = network.mean.map((mean, channel) =>
      Float32Array.from(
        picture.subarray(channel * SIDE ** 2, (channel + 1) * SIDE ** 2),
        (byte) => (byte - mean) / network.std[channel]
      )
    );
    const first = convolve(conv1, pixels, SIDE), firstPooled = pool(first, 28);
    const second = convolve(conv2, firstPooled, 14), secondPooled = pool(second, 10);
    let values = secondPooled.flatMap((map) => [...map]);
    for (const layer of [linear1, linear2])
      values = linear(layer, values).map((value) => Math.max(value, 0));
    const chances = softmax(linear(linear3, values));
    return { maps: [first, firstPooled, second, secondPooled], chances };
  }

  // What a map is made of ---------------------------------------------------------------

  // A map's name, how far apart its places lie on the picture, and how much each sees.
  const STEPS = [
    { title: "First convolution, after ReLU", layer: "conv1", stride: 1, field: 5 },
    { title: "First convolution, after pooling", layer: "conv1", stride: 2, field: 6 },
    { title: "Second convolution, after ReLU", layer: "conv2", stride: 2, field: 14 },
    { title: "Second convolution, after pooling", layer: "conv2", stride: 4, field: 16 },
  ];
  const COLOURS = ["red", "green", "blue"];

  /** The filter of a map: for each map or colour that it looks at, its weights. */
  function filterOf({ weights, bias }, map) {
    const length = weights.length / bias.length;
    const filter = weights.subarray(map * length, (map + 1) * length);
    const parts = length / 25;
    return Array.from({ length: parts }, (_, i) => filter.subarray(25 * i, 25 * (i + 1)));
  }

  /** Place and value of the largest number of a map. */
  function brightest(map) {
    const value = Math.max(...map), at = map.indexOf(value), side = Math.sqrt(map.length);
    return { value, row: Math.floor(at / side), column: at % side };
  }

  // What is on the page -----------------------------------------------------------------

  const div = (name, ...children) => element("div", { class: name }, ...children);
  const percent = (chance) => `${fixed(100 * chance, 1)} %`;

  /** Red, green and blue of each pixel, as `colourAt` gives them, on a canvas. */
  function paint(canvas, side, colourAt) {
    canvas.width = canvas.height = side;
    const image = new ImageData(side, side);
    for (let i = 0; i < side ** 2; i++) image.data.set([...colourAt(i), 255], 4 * i);
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function paintPicture(canvas, picture) {
    const colours = [0, 1, 2].map((channel) => channel * SIDE ** 2);
    paint(canvas, SIDE, (i) => colours.map((start) => picture[start + i]));
  }

  /** A map from black, for 0, to white, for the largest number of its step. */
  function paintMap(canvas, map, largest) {
    paint(canvas, Math.sqrt(map.length), (i) => Array(3).fill((255 * map[i]) / largest));
  }

  /** A row of buttons, one stop of the Tab key, with arrows from there. */
  function toolbar(label, buttons) {
    buttons.forEach((button, i) => (button.tabIndex = i ? -1 : 0));
    const row = div("lenet-maps", ...buttons);
    row.setAttribute("role", "toolbar");
    row.setAttribute("aria-label", label);
    row.addEventListener("keydown", (event) => {
      const at = buttons.indexOf(document.activeElement), { length } = buttons;
      const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: length - 1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      focusOn(buttons, (steps[event.key] + length) % length);
    });
    return row;
  }

  function focusOn(buttons, chosen) {
    buttons.forEach((button, i) => (button.tabIndex = i === chosen ? 0 : -1));
    buttons[chosen].focus();
  }

  function imageButton(label, action) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const node = element("button", { type: "button", "aria-label": label }, canvas);
    node.addEventListener("click", action);
    return { node, canvas };
  }

  /** A picture with a frame that can be laid around a square of its pixels. */
  function framed(label) {
    const canvas = element("canvas", { role: "img", "aria-label": label });
    const frame = element("rect", { class: "lenet-frame" });
    const over = element("svg", { "aria-hidden": "true" }, frame);
    return { node: div("lenet-framed", canvas, over), canvas, frame, over };
  }

  function layFrame({ over, frame }, side, x, y, size) {
    over.setAttribute("viewBox", `0 0 ${side} ${side}`);
    Object.entries({ x, y, width: size, height: size })
      .forEach(([key, value]) => frame.setAttribute(key, value));
  }

  /** Weights as squares: blue adds to the map, rust takes away. */
  function drawFilter(weights, largest) {
    const squares = [...weights].map((weight, i) =>
      element("rect", {
        class: weight > 0 ? "lenet-adds" : "lenet-takes",
        x: i % 5, y: Math.floor(i / 5), width: 1, height: 1,
        "fill-opacity": (Math.abs(weight) / largest).toFixed(2),
      })
    );
    return element("svg", { viewBox: "0 0 5 5", "aria-hidden": "true" }, ...squares);
  }

  function build(place, file) {
    const layers = Object.fromEntries(
      Object.entries(file.layers).map(([name, layer]) => [name, readLayer(layer)])
    );
    const network = { ...file, layers };
    const bytes = bytesOf(file.pictures), size = 3 * SIDE ** 2;
    const pictures = file.classes.map((_, i) => bytes.subarray(i * size, (i + 1) * size));
    let chosen = 0, step = 0, number = 0; // the picture, and the map that is shown large
    let seen = null; // its maps and probabilities

    const options = pictures.map((picture, i) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      paintPicture(canvas, picture);
      return [i, canvas, file.classes[i]];
    });
    const pictureChoice = choice("Test picture", options, (i) => {
      chosen = i;
      refresh();
    });
    const mapButtons = STEPS.map(({ layer }, i) =>
      layers[layer].bias.map((_, j) =>
        imageButton(`Map ${j + 1}`, () => {
          [step, number] = [i, j];
          showMap();
        })
      )
    );
    const verdict = element("p", { class: "lenet-verdict" });
    const bars = file.classes.map((name) => {
      const bar = element("span", { class: "lenet-bar", "aria-hidden": "true" });
      const chance = element("span", { class: "lenet-chance" });
      const row = element("li", {}, element("span", {}, name), bar, chance);
      return { bar, chance, row };
    });
    const whole = framed("The picture"), large = framed("Its map");
    const heading = element("p", { class: "lenet-heading" });
    const sentence = element("p");
    const filter = div("lenet-filter");
    const announcement = announcer();

    function refresh() {
      seen = look(network, pictures[chosen]);
      paintPicture(whole.canvas, pictures[chosen]);
      mapButtons.forEach((buttons, i) => {
        const largest = largestOf(i);
        buttons.forEach(({ canvas }, j) => paintMap(canvas, seen.maps[i][j], largest));
      });
      const best = seen.chances.indexOf(Math.max(...seen.chances));
      verdict.textContent = `It says ${file.classes[best]}, it is ${file.classes[chosen]}`;
      bars.forEach(({ bar, chance, row }, i) => {
        bar.style.setProperty("--chance", seen.chances[i]);
        chance.textContent = percent(seen.chances[i]);
        row.classList.toggle("lenet-best", i === best);
      });
      showMap();
      announcement.say(`${verdict.textContent}, ${percent(seen.chances[best])}`);
    }

    const largestOf = (i) => Math.max(...seen.maps[i].map((map) => Math.max(...map))) || 1;

    function showMap() {
      if (!seen) return refresh(); // chosen before the widget was near
      const { title, layer, stride, field } = STEPS[step];
      const map = seen.maps[step][number], side = Math.sqrt(map.length);
      const { value, row, column } = brightest(map);
      mapButtons.flat().forEach(({ node }) => node.setAttribute("aria-pressed", false));
      mapButtons[step][number].node.setAttribute("aria-pressed", true);
      paintMap(large.canvas, map, largestOf(step));
      layFrame(large, side, column, row, value ? 1 : 0);
      layFrame(whole, SIDE, column * stride, row * stride, value ? field : 0);
      heading.textContent = `${title}: map ${number + 1}, ${side} × ${side}`;
      sentence.textContent = value
        ? `The brightest place, ${fixed(value, 2)}, sees ${field}\u00a0×\u00a0${field} pixels.`
        : "Dark: no place of the picture answers to the filter.";
      large.canvas.setAttribute("aria-label", `${heading.textContent}. ${sentence.textContent}`);
      whole.canvas.setAttribute("aria-label", `The picture: ${file.classes[chosen]}`);
      showFilter(layer);
      announcement.say(large.canvas.getAttribute("aria-label"));
    }

    function showFilter(layer) {
      const parts = filterOf(layers[layer], number);
      const largest = Math.max(...parts.flatMap((part) => [...part]).map(Math.abs));
      const names = layer === "conv1" ? COLOURS : parts.map((_, i) => `map ${i + 1}`);
      filter.replaceChildren(
        ...parts.map((part, i) =>
          element("figure", {}, drawFilter(part, largest), element("figcaption", {}, names[i]))
        )
      );
    }

    place.replaceChildren(
      div("lenet-pictures", pictureChoice.node),
      div("lenet-large",
        heading, whole.node, large.node, filter, sentence,
        element("p", {}, "In the filter, blue adds to the map and rust takes away.")),
      div("lenet-steps", ...mapButtons.flatMap((buttons, i) => [
        element("p", { "aria-hidden": "true" }, STEPS[i].title),
        toolbar(STEPS[i].title, buttons.map(({ node }) => node)),
      ])),
      div("lenet-says", verdict,
        element("ul", { class: "lenet-bars" }, ...bars.map(({ row }) => row))),
      announcement.node
    );
    pictureChoice.set(chosen);
    onceNear(place, () => {
      refresh();
      announcement.hush(); // nothing has happened yet that is worth announcing
    });
  }

  for (const place of document.querySelectorAll('[data-widget="what-the-network-sees"]')) {
    const file = window.published?.[place.dataset.published];
    if (file) build(place, file);
  }
}
