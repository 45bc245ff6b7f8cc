// Pages opened from disk cannot start a worker; its script runs in a hidden frame instead.
// The theme uses `postMessage`, `onmessage` and the event `message` of `Worker`.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.frame = frame;
      this.ready = new Promise((done) => {
        frame.onload = done;
      });
      const inside = frame.contentDocument;
      inside.open();
      inside.write(`<!doctype html><script>
        window.postMessage = (data) => parent.dispatchEvent(new MessageEvent("message", { data, source: window }));
      </scr` + `ipt><script src="${address}"></scr` + "ipt>");
      inside.close();
      this.heard = (event) => {
        if (event.source !== frame.contentWindow) return;
        const copy = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(copy);
        this.onmessage?.(copy);
      };
      addEventListener("message", this.heard);
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      removeEventListener("message", this.heard);
      this.frame.remove();
    }
  };
}
