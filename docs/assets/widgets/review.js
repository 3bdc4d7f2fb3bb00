// The questions that are due, one after the other, and what this browser keeps.
"use strict";
{
  const { button, element } = window.parts;
  const place = document.querySelector('[data-widget="review"]');
  const byId = new Map(window.questions.map((question) => [question.id, question]));

  /** Cards that are still on the site, with their questions, soonest first. */
  function cards() {
    return Object.entries(keeper.read().cards ?? {})
      .filter(([id]) => byId.has(id))
      .map(([id, card]) => ({ ...byId.get(id), ...card }))
      .sort((one, other) => one.due.localeCompare(other.due));
  }
  const due = () => cards().filter((card) => card.due <= keeper.day());

  const card = element("div", {
    class: "review-card", role: "group", "aria-label": "Question",
  });
  const state = element("p", { class: "review-state", role: "status" });

  /** A paragraph of what the site's own questions say, with marks of code in it. */
  function paragraph(attributes, html) {
    const made = element("p", attributes);
    made.innerHTML = html;
    return made;
  }

  function count(number, word) {
    return `${number} ${word}${number === 1 ? "" : "s"}`;
  }

  function showState() {
    const all = cards(), waiting = due().length;
    const next = all.find(({ due }) => due > keeper.day());
    state.textContent =
      `${count(waiting, "question")} due; ${all.length} of ${byId.size} met.` +
      (next ? ` The next one after today comes on ${next.due}.` : "");
  }

  function showNext(moveFocus) {
    const [one] = due();
    showState();
    if (!one) {
      const text = cards().length
        ? "Nothing is due today."
        : "No question has been answered yet: they stand at the end of each lesson.";
      card.replaceChildren(element("p", { tabindex: -1 }, text));
      if (moveFocus) card.firstChild.focus();
      return;
    }
    const from = element("a", { href: one.page }, one.title);
    const asks = paragraph({ class: "review-asks" }, one.asks);
    const turn = button("Turn over", () => showAnswer(one, turn));
    card.replaceChildren(element("p", { class: "review-from" }, "From ", from), asks, turn);
    if (moveFocus) turn.focus();
  }

  function showAnswer(one, turn) {
    const answered = (known) => () => {
      keeper.answer(one.id, known);
      showNext(true);
    };
    const answer = paragraph({ "aria-live": "polite" }, one.answer);
    const knew = button("I knew it", answered(true));
    turn.replaceWith(answer, knew, button("Not yet", answered(false)));
    knew.focus();
  }

  // What is kept -------------------------------------------------------------------------

  function exportAll() {
    const text = JSON.stringify(keeper.read(), null, 1);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    element("a", { href: address, download: `${keeper.NAME}.json` }).click();
    URL.revokeObjectURL(address);
  }

  /** What a file may bring: dates, steps and addresses of the right form, no more. */
  function checked(found) {
    const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text);
    const kept = {};
    kept.cards = Object.fromEntries(
      Object.entries(found.cards ?? {}).filter(
        ([, { step, due }]) => Number.isInteger(step) && keeper.STEPS.length > step && isDay(due),
      ),
    );
    kept.read = Object.fromEntries(Object.entries(found.read ?? {}).filter(([, day]) => isDay(day)));
    return kept;
  }

  async function importFile({ target }) {
    try {
      const found = checked(JSON.parse(await target.files[0].text()));
      keeper.write((kept) => {
        kept.cards = { ...kept.cards, ...found.cards };
        if (!kept.off) kept.read = { ...kept.read, ...found.read };
      });
      showNext(false);
      state.textContent += ` ${count(Object.keys(found.cards).length, "answer")} imported.`;
    } catch {
      state.textContent = "This file holds nothing that was exported here.";
    }
    target.value = "";
  }

  function setting(text, name, change = () => {}) {
    const box = element("input", { type: "checkbox" });
    box.checked = !keeper.read()[name];
    box.onchange = () =>
      keeper.write((kept) => {
        if (box.checked) delete kept[name];
        else kept[name] = true;
        change(kept);
      });
    return element("label", {}, box, ` ${text}`);
  }

  const file = element("input", { type: "file", accept: ".json", hidden: "" });
  file.onchange = importFile;
  place.replaceChildren(
    state,
    card,
    element("p", { class: "review-files" },
      button("Export", exportAll), button("Import", () => file.click()), file),
    element("p", { class: "review-settings" },
      setting("Ask what a cell prints before showing it", "tells"),
      setting("Note which pages I have read", "off", (kept) => {
        if (kept.off) for (const name of ["read", "last"]) delete kept[name];
      })),
  );
  showNext(false);
}
