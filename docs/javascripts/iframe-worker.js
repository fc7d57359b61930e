// A browser starts no Worker from a file: a page that was opened as one searches in a hidden
// frame instead, whose `postMessage` reaches the page as a worker's does.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inner = frame.contentWindow;
      const to = (target, data) => target.dispatchEvent(new MessageEvent("message", { data }));
      this.inner.postMessage = (data) => to(this, data);
      const script = this.inner.document.createElement("script");
      script.src = url;
      const loaded = new Promise((resolve) => (script.onload = resolve));
      this.postMessage = (data) => loaded.then(() => to(this.inner, data));
      this.inner.document.head.append(script);
    }
  };
}
