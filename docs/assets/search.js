// Who searches for an error message finds the section that explains it first: the one
// that shows a message with most of these words in a row. Numbers and signs do not
// count, for a reader's shapes and names are others. Other searches stay as they are.
// The index is built when a reader turns to the search, and not while the page loads.
{
  const FEWEST = 4; // words in a row by which a message is known
  // In a section's text, which is HTML: up to its end, or to the line of the next one.
  const MESSAGE = /\w(?:Error|Warning): ([^<]+?)(?=<|\n.*\w(?:Error|Warning): |$)/g;

  const wordsOf = (text) =>
    text.toLowerCase().replace(/&#?\w+;/g, " ").match(/\p{L}+/gu) ?? [];

  const messagesOf = (section) =>
    [...section.text.matchAll(MESSAGE)].map(([, message]) => {
      return { section, text: ` ${wordsOf(message).join(" ")} ` };
    });

  // How many of these words stand in a text in a row.
  function longestRun(words, text) {
    let longest = 0;
    for (let start = 0; start + longest < words.length; start++)
      while (
        start + longest < words.length &&
        text.includes(` ${words.slice(start, start + longest + 1).join(" ")} `)
      )
        longest++;
    return longest;
  }

  // The section whose message was searched for; of two, the one that shows more of it.
  function explaining(query, messages) {
    const words = wordsOf(query);
    const [best] = messages
      .map(({ section, text }) => ({ section, text, run: longestRun(words, text) }))
      .filter(({ run }) => run >= FEWEST)
      .sort((a, b) => b.run - a.run || b.text.length - a.text.length);
    return best?.section;
  }

  // Put a section, and its page, before all others that were found.
  function putFirst(section, pages, docs) {
    const [address] = section.location.split("#");
    const isOfPage = ({ location }) => location.split("#")[0] === address;
    const at = pages.findIndex((found) => found.some(isOfPage));
    const found = at < 0 ? [] : pages.splice(at, 1)[0];
    for (const { location } of [section, { location: address }])
      if (!found.some((one) => one.location === location))
        found.push({
          ...docs.find((doc) => doc.location === location), score: 0, terms: {},
        });
    const first = found.find(({ location }) => location === section.location);
    first.score = Infinity;
    pages.unshift([first, ...found.filter((one) => one !== first)]);
  }

  // When the reader first goes to the search, or comes by a link that searches.
  const wanted = new Promise((resolve) => {
    if (new URLSearchParams(location.search).has("q")) resolve();
    for (const kind of ["focusin", "pointerdown"])
      document.addEventListener(kind, ({ target }) => {
        if (target.closest?.(".md-search, [for=__search]")) resolve();
      });
  });

  // Material's worker, which is sent an index, then searches, and answers in turn.
  window.Worker = class extends window.Worker {
    constructor(...args) {
      super(...args);
      this.searches = [];
      this.addEventListener("message", ({ data: { data } }) => {
        if (!data?.items || !this.searches.length) return;
        this.messages ??= this.docs.flatMap(messagesOf); // once somebody searches
        const section = explaining(this.searches.shift(), this.messages);
        if (section) putFirst(section, data.items, this.docs);
      });
    }

    postMessage(message) {
      if (message.data?.docs) [this.docs, this.messages] = [message.data.docs, undefined];
      else if (typeof message.data === "string") this.searches.push(message.data);
      wanted.then(() => super.postMessage(message)); // in the order in which they came
    }
  };
}
