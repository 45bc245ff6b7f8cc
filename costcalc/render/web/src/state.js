// What the page shows stands in its address, so that a link shows what its sender saw.

export class State {
  constructor(defaults, longest = 4000) {
    this.defaults = defaults;
    this.longest = longest;
    this.values = { ...defaults };
    this.read();
  }

  read() {
    const given = new URLSearchParams(location.hash.slice(1));
    this.values = { ...this.defaults };
    for (const [name, value] of given) if (name.length < 200 && value.length < this.longest) this.values[name] = value;
  }

  get(name) {
    return this.values[name] ?? "";
  }

  number(name, least, mostOf) {
    const value = Number(this.get(name));
    return Number.isInteger(value) && this.get(name) !== "" && value >= least && value <= mostOf ? value : null;
  }

  set(changes) {
    Object.assign(this.values, changes);
    const said = new URLSearchParams();
    for (const [name, value] of Object.entries(this.values)) {
      if (value !== "" && value !== null && value !== undefined && String(value) !== String(this.defaults[name] ?? ""))
        said.set(name, value);
    }
    const hash = said.toString();
    if (hash !== location.hash.slice(1)) {
      try {
        history.replaceState(null, "", hash ? `#${hash}` : "#");
      } catch {
        location.hash = hash; // a frame without an origin
      }
    }
  }
}

// Numbers of nodes as a short text: those that are not as `base` says.
export const listOf = (set) => [...set].join(".");
export const setOf = (text) => new Set(text.split(".").filter(Boolean).map(Number).filter(Number.isInteger));
