// The page's model, y = x w, to train by hand: its one weight on the curve of its loss.
"use strict";
{
  const { element, fixed, button, announcer } = window.parts;

  // The page's code -----------------------------------------------------------------

  const POINTS = [[1, 2], [2, 4], [3, 6]]; // inputs and targets
  const START = 1;
  const RATES = [0.001, 0.01, 0.1, 0.25];
  const gradient = (w, x, y) => 2 * x * (x * w - y);
  const meanLoss = (w) =>
    POINTS.reduce((sum, [x, y]) => sum + (x * w - y) ** 2, 0) / POINTS.length;

  const TOO_FAR = 1e6; // from there on, w is not followed any more

  // The picture -----------------------------------------------------------------------

  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [600, 304, 44, 580, 30, 268];
  const [W_MIN, W_MAX] = [0, 4]; // of the axis
  const TRAIL = 60; // steps that stay in sight
  const PACE = 250; // milliseconds per step

  const toX = (w) => LEFT + ((w - W_MIN) / (W_MAX - W_MIN)) * (RIGHT - LEFT);
  const toY = (loss) => BOTTOM - (loss / meanLoss(W_MAX)) * (BOTTOM - TOP);
  const onCurve = (w) => `${toX(w).toFixed(1)},${toY(meanLoss(w)).toFixed(1)}`;
  const isOutside = (w) => w < W_MIN || w > W_MAX;
  const nearby = (w) => Math.min(Math.max(w, W_MIN - 8), W_MAX + 8);

  function axes() {
    const label = (text, x, y, dy, anchor) =>
      element("text", { x, y, dy, "text-anchor": anchor }, text);
    const places = Array.from({ length: 81 }, (_, i) => W_MIN + (i / 80) * (W_MAX - W_MIN));
    return [
      element("path", { class: "descent-axis", d: `M${LEFT},${TOP}V${BOTTOM}H${RIGHT}` }),
      ...[0, 1, 2, 3, 4].map((w) => label(w, toX(w), BOTTOM, "1.2em", "middle")),
      ...[0, 5, 10, 15].map((loss) => label(loss, LEFT - 8, toY(loss), "0.35em", "end")),
      label("w", toX(3.5), BOTTOM, "1.2em", "middle"),
      label("mean loss", LEFT + 40, TOP, "0.35em", "start"),
      element("polyline", { class: "descent-curve", points: places.map(onCurve).join(" ") }),
    ];
  }

  // What is on the page ------------------------------------------------------------------

  function build(place) {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)");
    let rate, w, steps, trail, last; // last: the point of the last step, and its gradient
    let animation = 0;

    const rateText = element("strong");
    const slider = element("input", { type: "range", min: -3, max: -0.52, step: 0.02 });
    slider.addEventListener("input", () =>
      restart(Number((10 ** slider.value).toPrecision(2)))
    );
    const presets = RATES.map((value) =>
      button(value, () => {
        slider.value = Math.log10(value);
        restart(value);
      })
    );
    const hops = element("polyline", { class: "descent-hops" });
    const marks = element("path", { class: "descent-marks" });
    const dot = element("path", { class: "descent-dot", d: "M0,0h0" });
    const arrow = element("path", { class: "descent-arrow", d: "M0,-12L9,8H-9Z" });
    const picture = element(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      ...axes(), hops, marks, dot, arrow
    );
    const names = ["Epoch", "Point", "Gradient", "w", "Mean loss", "Prediction for 4"];
    const values = names.map(() => element("dd"));
    const voice = announcer();

    function restart(newRate) {
      [rate, w, steps, trail, last] = [newRate, START, 0, [START], null];
      rateText.textContent = rate;
      slider.setAttribute("aria-valuetext", rate);
      presets.forEach((node, i) => node.setAttribute("aria-pressed", RATES[i] === rate));
      show([w]);
    }

    function advance(count) {
      const path = [w];
      for (let i = 0; i < count && Math.abs(w) < TOO_FAR; i++) {
        const [x, y] = POINTS[steps % POINTS.length];
        last = { x, y, slope: gradient(w, x, y) };
        w = w - rate * last.slope;
        steps += 1;
        path.push(w);
      }
      trail = [...trail, ...path.slice(1)].slice(-TRAIL);
      show(path);
    }

    /** Numbers and trail at once; the dot runs along the curve after them. */
    function show(path) {
      const epoch = Math.ceil(steps / POINTS.length), step = steps % POINTS.length;
      let when = step ? `${epoch}, step ${step} of ${POINTS.length}` : `${epoch}`;
      if (Math.abs(w) >= TOO_FAR) when = `${epoch}: w has run away`;
      const texts = [
        when,
        last ? `x = ${last.x}, y = ${last.y}` : "–",
        last ? fixed(last.slope, 4) : "–",
        fixed(w, 4),
        fixed(meanLoss(w), 6),
        fixed(4 * w, 4),
      ];
      values.forEach((node, i) => (node.textContent = texts[i]));
      hops.setAttribute("points", trail.map((past) => onCurve(nearby(past))).join(" "));
      const inside = trail.filter((past) => !isOutside(past));
      marks.setAttribute("d", inside.map((past) => `M${onCurve(past)}h0`).join(""));
      picture.setAttribute(
        "aria-label",
        `Mean loss against w: a parabola, lowest at 2. w is ${texts[3]}.`
      );
      announce(texts);
      run(path);
    }

    function announce([, , slope, weight]) {
      let text = `w is ${weight}.`;
      if (last) text = `x = ${last.x}, gradient ${slope}, w is now ${weight}.`;
      if (isOutside(w)) text += ` Off the ${w < W_MIN ? "left" : "right"} edge.`;
      if (Math.abs(w) >= TOO_FAR) text += " It has run away: start again.";
      voice.say(text);
    }

    function run(path) {
      cancelAnimationFrame(animation);
      const start = performance.now();
      const frame = (now) => {
        const time = isStill.matches ? Infinity : Math.max(now - start, 0) / PACE;
        const i = Math.floor(time); // the step that the dot is making
        if (i >= path.length - 1) return put(path.at(-1));
        put(path[i] + (path[i + 1] - path[i]) * (time - i));
        animation = requestAnimationFrame(frame);
      };
      frame(start);
    }

    /** The dot at w; where that is outside, an arrow at the end of the curve. */
    function put(w) {
      const [x, turn] = w < W_MIN ? [LEFT, -30] : [RIGHT, 30];
      arrow.setAttribute("transform", `translate(${x},${TOP}) rotate(${turn})`);
      arrow.classList.toggle("descent-hidden", !isOutside(w));
      dot.setAttribute("transform", `translate(${onCurve(nearby(w))})`);
    }

    place.replaceChildren(
      element("div", { class: "descent-rate" },
        element("label", {}, "Learning rate ", rateText, slider),
        element("div", { role: "group", "aria-label": "Rates of the page" }, ...presets)),
      picture,
      element("div", { class: "descent-buttons" },
        button("Step", () => advance(1)),
        button("Epoch", () => advance(POINTS.length - (steps % POINTS.length))),
        button("Start again", () => restart(rate))),
      element("dl", {}, ...names.map((name, i) =>
        element("div", {}, element("dt", {}, name), values[i]))),
      voice.node
    );
    slider.value = Math.log10(RATES[1]);
    restart(RATES[1]);
    voice.hush(); // nothing has happened yet that is worth announcing
  }

  document.querySelectorAll('[data-widget="gradient-descent"]').forEach(build);
}
