// Asking before an output is shown, questions at the end of a page, and what was read.
// All that is kept lies in this browser, under one name, and only the Review page shows
// and deletes it.
"use strict";

/** What the reader has told this browser to keep; nothing where it keeps nothing. */
const keeper = {
  NAME: "torch-pages",
  STEPS: [1, 4, 14, 60], // days until a question that was known is asked again

  /** What is kept, but for what has not the right form: others may write here, too. */
  read() {
    const isObject = (value) => value?.constructor === Object;
    try {
      const kept = JSON.parse(localStorage.getItem(this.NAME));
      if (!isObject(kept)) return {};
      for (const name of ["cards", "read", "last"]) if (!isObject(kept[name])) delete kept[name];
      for (const id in kept.cards) if (!this.isCard(kept.cards[id])) delete kept.cards[id];
      return kept;
    } catch {
      return {};
    }
  },

  isDay: (text) => typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text),

  isCard(card) {
    const { step, due } = card ?? {};
    return Number.isInteger(step) && step >= -1 && step < this.STEPS.length && this.isDay(due);
  },

  /** Change what is kept, in place; whether that is kept: not if full or forbidden. */
  write(change) {
    const kept = this.read();
    change(kept);
    try {
      localStorage.setItem(this.NAME, JSON.stringify(kept));
      return true;
    } catch {
      return false; // the page works without
    }
  },

  /** The date so many days from now, as 2026-11-28. */
  day(later = 0) {
    const date = new Date();
    date.setDate(date.getDate() + later);
    return date.toLocaleDateString("sv"); // Sweden writes it like that
  },

  /** Note that a question was known, or not: when it is due, and its step; as `write`. */
  answer(id, known) {
    return this.write((kept) => {
      const cards = (kept.cards ??= {});
      if (known && cards[id]?.due > this.day()) return; // asked for too soon to count
      const step = known ? Math.min((cards[id]?.step ?? -1) + 1, this.STEPS.length - 1) : -1;
      cards[id] = { step, due: this.day(this.STEPS[Math.max(step, 0)]) };
    });
  },
};

{
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const button = (text, press) =>
    element("button", { type: "button", textContent: text, onclick: press });

  // What will it print? ----------------------------------------------------------------

  /**
   * A number as printed or typed: 1,234.5 has a comma for the eye, 1,5 a decimal one;
   * spaces are for the eye, too, and a minus may be longer.
   */
  function numberOf(text) {
    const bare = text.replace(/[\s'_]/g, "").replace("\u2212", "-");
    const isGrouped = /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/.test(bare);
    return Number(isGrouped ? bare.replaceAll(",", "") : bare.replace(",", "."));
  }

  /** Whether a typed number is right; `room` is how far it may be off, in parts of it. */
  function isNear(typed, right, room) {
    const printed = numberOf(right);
    return Math.abs(numberOf(typed) - printed) <= room * Math.abs(printed);
  }

  function ask(box, number) {
    const { right, within = 0 } = box.dataset;
    const [question, output] = ["ask", "output"].map((it) => box.querySelector(`.predict-${it}`));
    const list = box.querySelector(".predict-choices");
    const said = element("p", { className: "predict-said" });
    const controls = element("div", { className: "predict-controls" });
    question.id = `predict-${number}`;
    said.setAttribute("role", "status");
    controls.setAttribute("role", "group");
    controls.setAttribute("aria-labelledby", question.id);

    const isRight = (answer) => (list ? answer === right : isNear(answer, right, within));

    function open(answer) {
      box.classList.add("is-open");
      for (const control of controls.children) {
        control.disabled = true;
        control.toggleAttribute("data-chosen", control.textContent === answer);
        control.toggleAttribute("data-right", control.textContent === right);
      }
      if (answer !== null) said.textContent = isRight(answer) ? "Right." : "No.";
      output.tabIndex = -1;
      output.focus({ preventScroll: true }); // a disabled button has none
    }
    if (list) {
      const choices = [...list.children].map((item) => item.textContent);
      controls.append(...choices.map((text) => button(text, () => open(text))));
    } else {
      const field = element("input", { type: "text", inputMode: "decimal", size: 8 });
      field.setAttribute("aria-labelledby", question.id);
      const check = () => {
        if (!field.value.trim()) return;
        if (Number.isFinite(numberOf(field.value))) open(field.value);
        else said.textContent = "That is no number.";
      };
      field.onkeydown = (event) => event.key === "Enter" && check();
      controls.append(field, button("Check", check));
    }
    const show = button("Show it", () => open(null));
    show.className = "predict-show";
    controls.append(show);
    question.after(controls, said);
  }

  if (document.documentElement.classList.contains("asks"))
    document.querySelectorAll(".predict").forEach(ask);

  // Questions to come back to ------------------------------------------------------------

  for (const card of document.querySelectorAll(".recall")) {
    const id = card.dataset.question;
    const said = element("span");
    said.setAttribute("role", "status");
    const answer = (known) => () => {
      const isKept = keeper.answer(id, known);
      said.textContent = isKept
        ? ` Comes back on ${keeper.read().cards[id].due}.`
        : " This browser keeps nothing, or is full: it does not come back.";
    };
    const choices = [button("I knew it", answer(true)), button("Not yet", answer(false))];
    card.append(element("p", { className: "recall-known" }, ...choices, said));
  }

  // Where the reader is ------------------------------------------------------------------

  /** The name of a page, which some hosts show without its end. */
  const pageOf = (path) => {
    const name = path.split("/").at(-1) || "index.html";
    return name.includes(".") ? name : `${name}.html`;
  };
  const here = pageOf(location.pathname);

  function tick(link, read) {
    const name = pageOf(new URL(link.href).pathname);
    if (!read[name] || link.host !== location.host || "read" in link.dataset) return;
    link.dataset.read = "";
    link.append(element("span", { className: "visually-hidden", textContent: " (read)" }));
  }

  function noteWhenRead(end) {
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      keeper.write((kept) => {
        if (!kept.off) (kept.read ??= {})[here] ??= keeper.day();
      });
      showKept();
    }).observe(end);
  }

  /** The heading that the reader has come to last, as the end of an address. */
  function section() {
    const headings = [...document.querySelectorAll("article :is(h2, h3)[id]")];
    const passed = headings.filter((h) => h.getBoundingClientRect().top < innerHeight / 2);
    return passed.length ? `#${passed.at(-1).id}` : "";
  }

  const end = document.querySelector(".recall");
  if (end && !keeper.read().off) {
    noteWhenRead(end);
    const title = document.querySelector("h1").firstChild.textContent;
    // Not when it is closed: a page that is out of sight is not the last one.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "hidden") return;
      keeper.write((kept) => {
        if (!kept.off) kept.last = { title, address: here + section() };
      });
    });
  }

  /** Tick what was read, and offer the last page: at the start, and when come back to. */
  function showKept() {
    const { off, read = {}, last } = keeper.read();
    if (off) return;
    for (const link of document.querySelectorAll(".md-nav--primary a.md-nav__link, .path a"))
      tick(link, read);
    const place = document.querySelector(".continue");
    if (!place || !/^[\w-]+\.html(#[\w-]*)?$/.test(last?.address)) return;
    const [page] = last.address.split("#");
    const links = [...document.querySelectorAll(".path a")];
    if (!links.some((link) => link.getAttribute("href") === page)) return; // renamed since
    const link = element("a", { href: last.address, textContent: last.title });
    place.replaceChildren("Continue with ", link);
  }
  showKept();
  addEventListener("pageshow", (event) => event.persisted && showKept());
  addEventListener("storage", showKept); // by a page that was left a moment ago

  // Report this page ---------------------------------------------------------------------

  const UNKNOWN = "What I expected:"; // what the reader says where no cell is known
  const report = document.querySelector("a.report");
  let touched; // the code that the reader has last pressed on, or in whose output
  if (report) {
    const note = ({ target }) => {
      let box = target.closest?.("article .predict");
      box ??= target.closest?.("article .highlight, article .output");
      while (box && !box.matches(".highlight")) box = box.previousElementSibling;
      touched = box ?? touched;
    };
    for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, note);
    const plain = report.href;
    const fill = () => {
      if (!touched) return;
      const address = new URL(plain);
      const output = touched.nextElementSibling?.matches(".output, .predict")
        ? touched.nextElementSibling.querySelector("samp, pre")?.textContent ?? ""
        : "";
      const cell = `Cell:\n\n    ${indented(touched.querySelector("code").textContent)}`;
      const expected = output && `\n\nExpected, as the page has it:\n\n    ${indented(output)}`;
      const [asked] = address.searchParams.get("body").split(UNKNOWN);
      address.searchParams.set("body", asked + (cell + expected).slice(0, 3000));
      report.href = address;
    };
    // Before it is followed: in a new tab, too, or by a menu.
    for (const kind of ["pointerdown", "focus", "click"]) report.addEventListener(kind, fill);
  }
  const indented = (text) => text.trimEnd().replaceAll("\n", "\n    ");
}
