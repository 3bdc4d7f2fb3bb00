// Asking before an output is shown, questions at the end of a page, and what was read.
// All that is kept lies in this browser, under one name, and only the Review page shows
// and deletes it.
"use strict";

/** What the reader has told this browser to keep; nothing where it keeps nothing. */
const keeper = {
  NAME: "torch-pages",
  STEPS: [1, 4, 14, 60], // days until a question that was known is asked again

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.NAME)) ?? {};
    } catch {
      return {};
    }
  },

  /** Change what is kept: `change` is given it, and changes it in place. */
  write(change) {
    const kept = this.read();
    change(kept);
    try {
      localStorage.setItem(this.NAME, JSON.stringify(kept));
    } catch {} // full, or forbidden: then the page works without
  },

  /** The date so many days from now, as 2026-11-28. */
  day(later = 0) {
    const date = new Date();
    date.setDate(date.getDate() + later);
    return date.toLocaleDateString("sv"); // Sweden writes it like that
  },

  /** Note that a question was known, or not: when it is due, and its step. */
  answer(id, known) {
    this.write((kept) => {
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

  /** A number as printed or typed: 1,234.5 has a comma for the eye, 1,5 a decimal one. */
  function numberOf(text) {
    const isGrouped = /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/.test(text.trim());
    return Number(isGrouped ? text.replaceAll(",", "") : text.replace(",", "."));
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
      list.remove();
    } else {
      const field = element("input", { type: "text", inputMode: "decimal", size: 8 });
      field.setAttribute("aria-labelledby", question.id);
      const check = () => field.value.trim() && open(field.value);
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
      keeper.answer(id, known);
      said.textContent = ` Comes back on ${keeper.read().cards?.[id]?.due ?? "no day"}.`;
    };
    const choices = [button("I knew it", answer(true)), button("Not yet", answer(false))];
    card.append(element("p", { className: "recall-known" }, ...choices, said));
  }

  // Where the reader is ------------------------------------------------------------------

  const here = location.pathname.split("/").at(-1) || "index.html";
  const kept = keeper.read();

  function tick(link) {
    const name = new URL(link.href).pathname.split("/").at(-1);
    if (!kept.read?.[name] || link.host !== location.host) return;
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
    }).observe(end);
  }

  /** The heading that the reader has come to last, as the end of an address. */
  function section() {
    const headings = [...document.querySelectorAll("article :is(h2, h3)[id]")];
    const passed = headings.filter((h) => h.getBoundingClientRect().top < innerHeight / 2);
    return passed.length ? `#${passed.at(-1).id}` : "";
  }

  const end = document.querySelector(".recall");
  if (!kept.off) {
    document.querySelectorAll(".md-nav--primary a.md-nav__link, .path a").forEach(tick);
    if (end) {
      noteWhenRead(end);
      const title = document.querySelector("h1").firstChild.textContent;
      addEventListener("pagehide", () =>
        keeper.write((kept) => {
          if (!kept.off) kept.last = { title, address: here + section() };
        }),
      );
    }
    const place = document.querySelector(".continue");
    if (place && kept.last) {
      const { title, address } = kept.last;
      const isOurs = /^[\w-]+\.html(#[\w-]*)?$/.test(address);
      if (isOurs) place.append("Continue with ", element("a", { href: address, textContent: title }));
    }
  }

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
    report.onclick = () => {
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
  }
  const indented = (text) => text.trimEnd().replaceAll("\n", "\n    ");
}
