// Scores to drag, and what follows: probabilities, the loss, and its gradient.
"use strict";
{
  const parts = window.parts, { element, fixed } = parts;

  const END = 6; // of a slider, to both sides; buttons go on from there
  const COUNTS = [3, 4, 5];
  const range = (count) => Array.from({ length: count }, (_, i) => i);

  // The page's code ----------------------------------------------------------------------

  /** Logarithms of the probabilities, the largest score subtracted first. */
  function logSoftmax(scores) {
    const largest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - largest));
    const total = Math.log(powers.reduce((sum, power) => sum + power));
    return scores.map((score) => score - largest - total);
  }

  /** Probabilities, loss, and the gradient of the loss for each score. */
  function crossEntropy(scores, right) {
    const logs = logSoftmax(scores), p = logs.map(Math.exp);
    const gradient = p.map((chance, k) => chance - (k === right ? 1 : 0));
    return { p, loss: -logs[right], gradient };
  }

  // What is on the page ----------------------------------------------------------------------

  /** A bar with its number: from the left, or to both sides from the middle. */
  function bar(kind, name) {
    const track = element("span", { class: `softmax-bar softmax-${kind}` });
    const number = element("span", { class: "parts-value" });
    const label = element("span", { class: "visually-hidden" }, `${name} `);
    const set = (value) => {
      track.style.setProperty("--size", Math.abs(value).toFixed(4));
      track.classList.toggle("softmax-negative", value < 0);
      number.textContent = fixed(value, 4);
    };
    return { node: element("p", {}, label, track, number), set };
  }

  function build(place, examples) {
    let scores, right;
    const rows = range(COUNTS.at(-1)).map(makeRow);
    const body = element("div", { class: "softmax-rows" });
    const result = element("p", { class: "softmax-loss" });
    const note = element("p", { class: "softmax-note" });
    const voice = parts.announcer();

    const counts = parts.choice("Classes", COUNTS.map((count) => [count, count]), (count) =>
      restart(range(count).map((k) => scores[k] ?? 0), right < count ? right : 0)
    );
    const rights = element("div"); // the choice of the right one, of those that there are

    function makeRow(k) {
      const limits = { min: -END, max: END, step: 0.1 };
      const slider = parts.slider(`Class ${k}`, limits, (score) => {
        scores[k] = score;
        show();
      });
      const chance = bar("chance", "Probability"), slope = bar("slope", "Gradient");
      const group = { class: "softmax-row", role: "group", "aria-label": `Class ${k}` };
      const node = element("div", group, slider.node, chance.node, slope.node);
      return { node, slider, chance, slope };
    }

    function restart(newScores, newRight) {
      [scores, right] = [[...newScores], newRight];
      const classes = range(scores.length);
      const choice = parts.choice("Right class", classes.map((k) => [k, k]), (k) => {
        right = k;
        show();
      });
      choice.set(right);
      rights.replaceChildren(choice.node);
      counts.set(scores.length);
      body.replaceChildren(heads, ...classes.map((k) => rows[k].node));
      show();
    }

    function change(newScores) {
      scores = newScores;
      show();
    }

    function show() {
      const { p, loss, gradient } = crossEntropy(scores, right);
      scores.forEach((score, k) => {
        const { node, slider, chance, slope } = rows[k];
        slider.set(score, fixed(score, 2));
        chance.set(p[k]);
        slope.set(gradient[k]);
        node.classList.toggle("softmax-right", k === right);
      });
      const isPast = scores.some((score) => Math.abs(score) > END + 1e-9); // 0.1 adds up
      note.textContent = isPast ? "A score is past the end of its slider." : "";
      const number = element("strong", {}, fixed(loss, 4));
      result.replaceChildren(`Loss: −log ${fixed(p[right], 4)} = `, number);
      voice.say(`Probability of the right class ${fixed(p[right], 4)}, loss ${fixed(loss, 4)}`);
    }

    const heads = element("div", { class: "softmax-row softmax-heads", "aria-hidden": "true" },
      ...["Score", "Probability p", "Gradient: p − one-hot"].map((head) =>
        element("p", {}, head)));
    place.replaceChildren(
      element("div", { class: "softmax-choices" },
        parts.group("Answers of the page", ...examples.map((example) =>
          parts.button(example.map((score) => fixed(score, 1)).join(", "), () =>
            restart(example, 0)))),
        counts.node, rights),
      body, result,
      element("div", { class: "parts-row" },
        parts.button("All scores + 1", () => change(scores.map((score) => score + 1))),
        parts.button("Step against the gradient", () => {
          const { gradient } = crossEntropy(scores, right);
          change(scores.map((score, k) => score - gradient[k]));
        }),
        note),
      voice.node
    );
    restart(examples[0], 0);
    voice.hush(); // nothing has happened yet that is worth announcing
  }

  for (const place of document.querySelectorAll('[data-widget="softmax"]'))
    build(place, JSON.parse(place.dataset.examples));
}
