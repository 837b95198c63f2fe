// What the pages of the class market share: making elements, the socket, the chart of a day. Text from people is only
// ever set as text.

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function fill(place, ...children) {
  place.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

// Take the colours that the other pages have, and show which page this is.
export function paint() {
  let stored = null;
  try {
    stored = JSON.parse(localStorage.getItem(":solara:theme.variant"));
  } catch (error) {
    stored = null;
  }
  const asked = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = stored === null || stored === "auto" ? asked : stored === "dark";
  document.documentElement.classList.toggle("theme--dark", dark);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  const here = document.querySelector(".mw-nav [aria-current]");
  if (here) {
    const list = here.closest("ul");
    list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2;
  }
}

export async function question(address, given) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body: JSON.stringify(given), headers: { "content-type": "application/json" } });
  } catch (error) {
    return { refused: "The server does not answer; try again in a moment." };
  }
  try {
    return await answer.json();
  } catch (error) {
    return { refused: "The server gave no answer that can be read." };
  }
}

// The key of a page stands behind # in its address: browsers send that part to nobody.
export function keyOfPage() {
  window.addEventListener("hashchange", () => location.reload());
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch (error) {
    return "";
  }
}

// What this browser was in, so that a closed window is found again: [{ title, link }], the last one first.
const PLACES = "meanwatt:class", MOST_PLACES = 3;

export function places() {
  try {
    return JSON.parse(localStorage.getItem(PLACES)) || [];
  } catch (error) {
    return [];
  }
}

export function keepPlace(title, link) {
  setPlaces([{ title, link }, ...places().filter((place) => place.link !== link)].slice(0, MOST_PLACES));
}

export function dropPlace(link) {
  setPlaces(places().filter((place) => place.link !== link));
}

function setPlaces(kept) {
  try {
    localStorage.setItem(PLACES, JSON.stringify(kept));
  } catch (error) {
    return; // a browser may refuse to keep anything
  }
}

const PATIENCE = [500, 1000, 2000, 4000];

export class Line {
  // A socket that comes back by itself. `shown` is given every view, `lost` whether the server is away.
  constructor(first, shown, lost) {
    this.first = first;
    this.shown = shown;
    this.lost = lost;
    this.waiting = new Map();
    this.number = 0;
    this.failed = 0;
    this.ended = false;
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}/class/socket`);
    this.socket.addEventListener("open", () => this.socket.send(JSON.stringify(this.first)));
    this.socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => this.closed(event.code));
  }

  take(message) {
    if ("view" in message || "counts" in message || "links" in message || "gone" in message) {
      this.failed = 0;
      this.lost(false);
      this.ended = this.ended || "gone" in message;
      this.shown(message);
      return;
    }
    const answer = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (answer) {
      answer(message);
    }
  }

  closed(code) {
    for (const answer of this.waiting.values()) {
      answer({ refused: "The connection was lost before the server answered; try again." });
    }
    this.waiting.clear();
    if (code === 4404) {
      this.ended = true;
      this.shown({ gone: true });
    } else if (code === 4429) {
      this.ended = true;
      this.shown({ many: true });
    }
    if (!this.ended) {
      this.lost(true);
      setTimeout(() => this.open(), PATIENCE[Math.min(this.failed, PATIENCE.length - 1)]);
      this.failed += 1;
    }
  }

  ask(given) {
    this.number += 1;
    const id = this.number;
    if (this.socket.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ refused: "The server is away; this was not sent." });
    }
    return new Promise((answer) => {
      this.waiting.set(id, answer);
      this.socket.send(JSON.stringify({ ...given, id }));
    });
  }
}

// After a day has been lived its button rests a moment, so that a double click lives one.
export const REST_MS = 1000;

// A countdown that does not ask the server: told how many seconds are left, it goes on by itself.
export class Clock {
  constructor(place) {
    this.place = place;
    this.until = null;
    setInterval(() => this.show(), 250);
  }

  set(seconds) {
    this.until = seconds === null || seconds === undefined ? null : performance.now() + 1000 * seconds;
    this.show();
  }

  show() {
    const left = this.until === null ? null : Math.max(Math.ceil((this.until - performance.now()) / 1000), 0);
    const text = left === null ? "" : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (this.place.textContent !== text) {
      this.place.textContent = text;
    }
  }
}

// What is on the page, as files that say what they are of; never by the link of a page, whose key opens it.
export function takeAway(page, view) {
  const settings = view ? [["scenario", view.scenario.title], ["tariff", String(view.tariff)], ["homes", String(view.households || "")], ["days played", String(view.round)]] : [];
  window.meanwattTakeAway.shows(document.body);
  const version = document.querySelector('meta[name="meanwatt-version"]').content;
  window.meanwattTakeAway.tell({ page, version, settings: settings.filter((pair) => pair[1]), python: "", why: "" });
}

export const usd = (value) => (value < 0 ? `−$${(-value).toFixed(2)}` : `$${value.toFixed(2)}`);
export const signed = (value) => (value < 0 ? `−${-value}` : `${value}`);

const SPACE = "http://www.w3.org/2000/svg";
function drawn(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

function steps(low, high) {
  const rough = Math.max(high - low, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) {
    found.push(Math.abs(value) < step / 1000 ? 0 : value);
  }
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0)) };
}

const LEFT = 46, RIGHT = 14, TOP = 8, BOTTOM = 26, WIDE = window.innerWidth < 600 ? 360 : 640;

// Lines over the hours of a day. A series has `name`, `line` (a class of style.css) and `values`: one for each slot,
// drawn as a step, or one more, drawn from edge to edge. `band` has `low` and `high`.
export function chart({ title, unit, series, band = null, height = 190, floor = null, ceiling = null }) {
  const everything = series.flatMap((one) => one.values).concat(band ? band.low : [], band ? band.high : []);
  const low = floor === null ? Math.min(0, ...everything) : floor;
  const high = ceiling === null ? Math.max(...everything, low + 1e-6) : ceiling;
  const slots = series[0].values.length - (series[0].edges ? 1 : 0);
  const x = (place) => LEFT + ((WIDE - LEFT - RIGHT) * place) / slots;
  const y = (value) => TOP + ((height - TOP - BOTTOM) * (high - value)) / (high - low || 1);
  const picture = drawn("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": title });
  const ticks = steps(low, high);
  for (const value of ticks.found) {
    picture.append(drawn("line", { class: value === 0 ? "mw-zero" : "mw-grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value) }));
    picture.append(drawn("text", { class: "mw-axis", x: LEFT - 6, y: y(value) + 5, "text-anchor": "end" }, value.toFixed(ticks.digits).replace("-", "−")));
  }
  for (let hour = 0; hour <= 24; hour += 6) {
    const place = (hour * slots) / 24;
    picture.append(drawn("text", { class: "mw-axis", x: x(place), y: height - 6, "text-anchor": hour === 24 ? "end" : "middle" }, hour === 24 ? "24 h" : `${hour}`));
  }
  const path = (values, edges) => values.map((value, k) => (edges ? `${k ? "L" : "M"}${x(k)},${y(value)}` : `${k ? "L" : "M"}${x(k)},${y(value)}L${x(k + 1)},${y(value)}`)).join("");
  if (band) {
    const back = [...band.low.keys()].reverse().map((k) => `L${x(k + 1)},${y(band.low[k])}L${x(k)},${y(band.low[k])}`).join("");
    picture.append(drawn("path", { class: "mw-band", d: `${path(band.high, false)}${back}Z` }));
  }
  for (const one of series) {
    picture.append(drawn("path", { class: one.line, "data-series": one.name, d: path(one.values, one.edges) }));
  }
  const key = make("ul", { class: "cm-key" });
  for (const one of series) {
    const sample = drawn("svg", { viewBox: "0 0 30 12", "aria-hidden": "true" });
    sample.append(drawn("path", { class: one.line, d: "M1,6L29,6" }));
    key.append(make("li", {}, sample, one.name));
  }
  if (band) {
    const sample = drawn("svg", { viewBox: "0 0 30 12", "aria-hidden": "true" });
    sample.append(drawn("rect", { class: "mw-band", x: 1, y: 1, width: 28, height: 10 }));
    key.append(make("li", {}, sample, band.name));
  }
  const names = series.map((one) => one.name);
  const head = make("tr", {}, make("th", { scope: "col" }, "hour"), ...names.map((name) => make("th", { scope: "col" }, name)));
  const rows = series[0].values.map((_, k) => make("tr", {}, make("th", { scope: "row" }, `${(k * 24) / slots}`), ...series.map((one) => make("td", {}, one.values[k] === undefined ? "" : one.values[k].toFixed(2)))));
  const numbers = make("details", {}, make("summary", {}, "Show as table"), make("div", { class: "mw-scroll", tabindex: 0, role: "group", "aria-label": `${title}, table` }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
  return make("figure", {}, make("h3", {}, `${title} [${unit}]`), key, picture, numbers);
}
