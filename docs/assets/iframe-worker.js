// Search without a server. A page opened from disk may not start a worker, so what
// would run in one runs in a hidden frame (worker-frame.html) that talks like one.
if (location.protocol === "file:") {
  const frameUrl = new URL("worker-frame.html", document.currentScript.src);

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      frameUrl.hash = new URL(url, location.href);
      frame.src = frameUrl;
      this.ready = new Promise((resolve) => (frame.onload = resolve));
      this.frame = frame;
      addEventListener("message", (event) => {
        if (event.source !== frame.contentWindow) return;
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.postMessage(data, "*"));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
