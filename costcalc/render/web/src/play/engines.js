// Who answers: the engine in a worker of this page, or the local `costcalc serve`. Both take the same requests.

export const SECONDS = 20; // of one answer; then the worker is ended

// One request at a time; of those that wait, the newest of a kind.
class Line {
  constructor() {
    this.waiting = [];
    this.running = false;
  }

  put(job) {
    const older = this.waiting.findIndex((one) => one.kind === job.kind);
    if (job.kind && older >= 0) this.waiting.splice(older, 1)[0].resolve(null);
    this.waiting.push(job);
    this.next();
  }

  async next() {
    if (this.running || !this.waiting.length) return;
    this.running = true;
    const job = this.waiting.shift();
    try {
      job.resolve(await job.run());
    } catch (error) {
      job.resolve({ problems: [{ code: "engine", message: String(error.message ?? error), help: error.help ?? null, notes: [] }] });
    }
    this.running = false;
    this.next();
  }
}

class Engine {
  constructor() {
    this.line = new Line();
  }

  // The answer; null where a newer request of the same kind took its place.
  ask(request, kind = request.ask) {
    return new Promise((resolve) => this.line.put({ kind, resolve, run: () => this.send(request) }));
  }

  // Read a file of a model: the key that requests name it by.
  open(file) {
    return new Promise((resolve) => this.line.put({ resolve, run: () => this.hold(file) }));
  }
}

function stopped(seconds) {
  const error = new Error(`the engine was stopped after ${seconds} seconds without an answer`);
  error.help = "make the network smaller; the command line has no such limit";
  return error;
}

export class WorkerEngine extends Engine {
  constructor(said) {
    super();
    this.said = said; // told how far the start is
    this.files = new Map();
    this.begin();
  }

  begin() {
    this.worker = new Worker("worker.js", { type: "module", name: "costcalc" });
    this.number = 0;
    this.ready = new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => {
        if (data.progress) this.said(data.progress);
        else if (data.ready) resolve(data);
        else if (data.failed) reject(new Error(data.failed));
        else this.got?.(data);
      };
      this.worker.onerror = (event) => {
        const error = new Error(`the engine could not start: ${event.message ?? "it could not be loaded"}`);
        reject(error);
        this.got?.({ answer: { problems: [{ code: "engine", message: error.message, help: "reload the page", notes: [] }] } });
      };
    });
    this.ready.then(
      () => this.said(""),
      (error) => this.said(error.message),
    );
  }

  restart() {
    this.worker.terminate();
    this.said("The engine starts again.");
    this.begin();
  }

  async send(request) {
    await this.ready;
    const key = request.source?.file;
    const answer = await this.timed(request);
    if (answer.problems?.[0]?.code !== "not-held" || !this.files.has(key)) return answer;
    await this.hold(this.files.get(key), key); // another worker, which has not read the file yet
    return this.timed(request);
  }

  async hold(file, key = `${file.name} ${file.size} ${file.lastModified}`) {
    await this.ready;
    this.files.set(key, file);
    return this.timed({ hold: key, name: file.name, file });
  }

  timed(request) {
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.got = null;
        this.restart();
        reject(stopped(SECONDS));
      }, SECONDS * 1000);
      this.got = (data) => {
        if (data.number !== undefined && data.number !== number) return;
        clearTimeout(timer);
        this.got = null;
        resolve(data.answer);
      };
      this.worker.postMessage({ number, request });
    });
  }
}

export class LocalEngine extends Engine {
  constructor(said, token) {
    super();
    this.said = said;
    this.token = token;
    this.files = new Map();
    this.ready = Promise.resolve();
  }

  async send(request) {
    const answer = await this.post("ask", JSON.stringify(request), "application/json");
    const key = request.source?.file;
    if (answer.problems?.[0]?.code !== "not-held" || !this.files.has(key)) return answer;
    await this.hold(this.files.get(key), key);
    return this.post("ask", JSON.stringify(request), "application/json");
  }

  hold(file, key = `${file.name} ${file.size} ${file.lastModified}`) {
    this.files.set(key, file);
    return this.post(`hold?${new URLSearchParams({ key, name: file.name })}`, file, "application/octet-stream");
  }

  async post(path, body, type) {
    let response;
    try {
      response = await fetch(path, { method: "POST", body, headers: { "Content-Type": type, "X-Costcalc-Token": this.token } });
    } catch {
      const error = new Error("`costcalc serve` does not answer");
      error.help = "start it again and reload the page it names";
      throw error;
    }
    if (!response.ok) throw new Error(`costcalc serve: ${response.status} ${(await response.text()).slice(0, 200)}`);
    return response.json();
  }
}
