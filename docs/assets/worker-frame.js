// Runs the worker whose address stands after `#`, inside a frame (see iframe-worker.js).
const page = self.parent;
self.parent = self; // the page is out of reach but for its messages
self.postMessage = (data) => page.postMessage(data, "*");
const script = document.createElement("script");
script.src = decodeURIComponent(location.hash.slice(1));
document.body.append(script); // the frame's load event waits for it
