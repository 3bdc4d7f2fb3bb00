// Search without a server. A page opened from disk may not start a worker, so the
// search, and nothing else, runs in a hidden frame that talks like one. The frame is
// empty: it has the page's origin and policy, and no address that could ask for more.
if (location.protocol === "file:") {
  const search = new URL("javascripts/workers/search.", document.currentScript.src).href;

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const script = new URL(url, location.href).href;
      if (!script.startsWith(search)) throw new Error(`${script} is not the site's search`);
      this.frame = Object.assign(document.createElement("iframe"), {
        hidden: true, title: "Search", srcdoc: "<!doctype html>",
      });
      this.ready = new Promise((resolve) => {
        this.frame.onload = () => resolve(this.run(script));
      });
      document.body.append(this.frame);
    }

    // Run a script in the frame; its window, when that is done.
    run(script) {
      const inside = this.frame.contentWindow;
      inside.parent = inside;
      inside.postMessage = (data) =>
        this.dispatchEvent(new MessageEvent("message", { data }));
      const element = inside.document.createElement("script");
      element.src = script;
      inside.document.body.append(element);
      return new Promise((resolve) => (element.onload = () => resolve(inside)));
    }

    async postMessage(data) {
      const inside = await this.ready;
      inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
