// Sets the maths of a page: Markdown leaves TeX in elements of class `arithmatex`.
for (const element of document.querySelectorAll(".arithmatex")) {
  katex.render(element.textContent, element, {
    displayMode: element.tagName === "DIV",
    throwOnError: false, // a mistake shows in red where it is, and the rest is set
  });
}
