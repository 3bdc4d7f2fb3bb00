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
  const NOT_KEPT = " This browser keeps nothing, or is full: nothing was noted.";
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
      card.replaceChildren(element("p", { class: "review-none", tabindex: -1 }, text));
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
      const isKept = keeper.answer(one.id, known);
      showNext(true);
      if (!isKept) state.textContent += NOT_KEPT;
    };
    const answer = paragraph({ class: "review-answer", tabindex: -1 }, one.answer);
    const choices = [button("I knew it", answered(true)), button("Not yet", answered(false))];
    turn.replaceWith(answer, element("div", { class: "parts-row" }, ...choices));
    answer.focus(); // so that it is read out; the buttons come next
  }

  // What is kept -------------------------------------------------------------------------

  function exportAll() {
    const text = JSON.stringify(keeper.read(), null, 1);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    element("a", { href: address, download: `${keeper.NAME}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000); // Safari asks for it later
  }

  const isObject = (value) => value?.constructor === Object;
  /** When a card was answered, in milliseconds: its due date and its step tell. */
  const dayOf = ({ step, due }) => Date.parse(due) - 864e5 * keeper.STEPS[Math.max(step, 0)];

  /** What a file may bring: entries of the right form, no more. Throws if none is ours. */
  function checked({ cards, read }) {
    if (!isObject(cards) && !isObject(read)) throw new TypeError("neither cards nor pages");
    const only = (entries, isRight) =>
      Object.entries(entries ?? {}).filter(([, value]) => isRight(value));
    return { cards: only(cards, (card) => keeper.isCard(card)), read: only(read, keeper.isDay) };
  }

  /** Add what was found where nothing is kept, or what `isBetter` than what is. */
  function merge(kept, found, isBetter) {
    const taken = found.filter(([key, value]) => !kept[key] || isBetter(value, kept[key]));
    for (const [key, value] of taken) kept[key] = value;
    return taken.length;
  }

  async function importFile({ target }) {
    try {
      const { cards, read } = checked(JSON.parse(await target.files[0].text()));
      let taken;
      const isKept = keeper.write((kept) => {
        taken = merge((kept.cards ??= {}), cards, (one, ours) => dayOf(one) > dayOf(ours));
        if (!kept.off) merge((kept.read ??= {}), read, (day, ours) => day < ours);
      });
      showNext(false);
      const rest = cards.length - taken;
      if (!isKept) state.textContent += NOT_KEPT;
      else
        state.textContent += ` ${count(taken, "answer")} imported` +
          (rest ? `; ${rest} ${rest === 1 ? "is" : "are"} as new here.` : ".");
    } catch {
      state.textContent = "This file holds nothing that was exported here.";
    }
    target.value = "";
  }

  function forgetAll() {
    if (!confirm(`Forget ${count(cards().length, "answer")}? Only an export brings them back.`))
      return;
    keeper.write((kept) => delete kept.cards);
    showNext(false);
  }

  function setting(text, name, change = () => {}) {
    const box = element("input", { type: "checkbox" });
    box.checked = !keeper.read()[name];
    box.onchange = () => {
      const isKept = keeper.write((kept) => {
        if (box.checked) delete kept[name];
        else kept[name] = true;
        change(kept);
      });
      if (isKept) return;
      box.checked = !keeper.read()[name];
      state.textContent = NOT_KEPT.trim();
    };
    return element("label", {}, box, ` ${text}`);
  }

  const file = element("input", { type: "file", accept: ".json", hidden: "" });
  file.onchange = importFile;
  place.replaceChildren(
    state,
    card,
    element("div", { class: "parts-row" },
      button("Export", exportAll), button("Import", () => file.click()),
      button("Forget all answers", forgetAll), file),
    element("p", { class: "review-settings" },
      setting("Ask what a cell prints before showing it", "tells"),
      setting("Note which pages I have read", "off", (kept) => {
        if (kept.off) for (const name of ["read", "last"]) delete kept[name];
      })),
  );
  if (location.protocol === "file:")
    place.append(element("p", {},
      "These pages come from disk, where some browsers keep things for each file on its own. " +
      "If no answer arrives here, serve the folder with ",
      element("code", {}, "python -m http.server"), "."));
  showNext(false);

  /** Another tab, a page gone back to, or a night may have changed what is due. */
  function refresh() {
    if (card.querySelector(".review-answer")) showState(); // it is turned over: leave it
    else showNext(card.contains(document.activeElement));
  }
  addEventListener("pageshow", (event) => event.persisted && refresh());
  addEventListener("storage", refresh);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh();
  });
}
