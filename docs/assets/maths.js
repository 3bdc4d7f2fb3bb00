// Sets the maths of a page that another generator makes of the build folder, where
// Markdown leaves TeX in elements of class `arithmatex`.
for (const element of document.querySelectorAll(".arithmatex"))
  katex.render(element.textContent, element, {
    displayMode: element.tagName === "DIV",
    throwOnError: false, // a mistake shows in red where it is, and the rest is set
  });
