// Sets the maths of a page: Markdown leaves TeX in elements of class `arithmatex`.
const SHORT = 30; // letters of TeX that fit into a line of a phone
for (const element of document.querySelectorAll(".arithmatex")) {
  const tex = element.textContent;
  katex.render(tex, element, {
    displayMode: element.tagName === "DIV",
    throwOnError: false, // a mistake shows in red where it is, and the rest is set
  });
  const next = element.nextSibling;
  const mark = /^[.,;:?!)]+/.exec(next?.data)?.[0];
  if (mark && tex.length <= SHORT) {
    // No line begins with the comma after a formula.
    const together = document.createElement("span");
    together.className = "together";
    element.before(together);
    together.append(element, mark);
    next.data = next.data.slice(mark.length);
  }
}
