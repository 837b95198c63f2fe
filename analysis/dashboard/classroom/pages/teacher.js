import { Clock, Line, REST_MS, chart, dropPlace, fill, keyOfPage, make, paint, question, signed, takeAway } from "./shared.js";
import { projector } from "./projector.js";

paint();
const page = document.getElementById("page");
const lost = make("p", { class: "cm-lost", role: "alert", hidden: true }, "The connection is lost; this page tries again by itself.");
const said = make("p", { class: "cm-refused", role: "status", hidden: true });
const warning = make("p", { class: "cm-lost", role: "alert", hidden: true });
const title = make("h1", {}, "The room");
const about = make("p", { class: "mw-muted" });
const clock = make("strong", { class: "cm-big", role: "timer", "aria-label": "time left" });
const state = make("p", { role: "status", class: "cm-big" });
const next = make("button", { class: "mw-button mw-primary", type: "button", onclick: live }, "Live the day ▶");
const freeze = make("button", { class: "mw-button", type: "button", onclick: () => act({ do: "freeze", value: !view.frozen }) }, "Freeze");
const end = make("button", { class: "mw-button", type: "button", onclick: () => sure("End the game? Its scores are final then.") && act({ do: "end" }) }, "End the game");
const seconds = make("input", { type: "number", min: 0, max: 3600, step: 5, onchange: () => act({ do: "seconds", value: Number(seconds.value) }) });
const words = make("input", { type: "text", maxlength: 200 });
const figure = make("section", { class: "mw-card cm-stack", "aria-label": "The class and the market" });
const entrance = make("section", { class: "mw-card cm-stack", "aria-label": "How to join" });
const board = make("ol", { class: "cm-leaders" });
const students = make("ul", { class: "cm-list" });
const counted = make("h2", {}, "Students");
const seats = make("p", { class: "mw-small mw-muted", hidden: true });
const tariff = make("select", { "aria-label": "tariff of the next game" });
const games = make("ul", { class: "mw-small" });
const again = make("section", { class: "mw-card cm-form", "aria-label": "Again, with one change" },
  make("h2", {}, "Again, with one change"), games,
  make("div", { class: "cm-row" }, tariff, make("button", { class: "mw-button", type: "button", onclick: replay }, "Play again with this tariff")),
  make("p", { class: "mw-small mw-muted" }, "Same homes, same weather, same students: what differs is the tariff."));
const [slide, unslide] = projector();
let view = null, links = null, drawnLinks = "", drawnRound = "", listed = "";

function sure(text) {
  return window.confirm(text);
}

async function act(given) {
  const answer = await line.ask(given);
  said.hidden = !answer.refused;
  said.textContent = answer.refused || "";
}

let resting = false;
async function live() {
  resting = true;
  next.disabled = true;
  await act({ do: "next", round: view.round });
  setTimeout(() => {
    resting = false;
    next.disabled = !view.ready || view.over || !view.present;
  }, REST_MS);
}

function replay() {
  if (view.over || !view.round || sure("The game that is played ends then. Begin another one?")) {
    act({ do: "again", value: { tariff: tariff.value } });
  }
}

async function download() {
  const answer = await fetch("/class/table", { method: "POST", body: JSON.stringify({ key: keyOfPage() }) });
  if (!answer.ok) {
    said.hidden = false;
    said.textContent = "The table could not be made.";
    return;
  }
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: `meanwatt-class-${view.code}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

fill(page, lost, warning, said,
  make("section", { class: "mw-card cm-stack" },
    make("div", { class: "cm-head" }, title, clock), about, state,
    make("div", { class: "cm-row" }, next, freeze, end, slide, unslide,
      make("label", { class: "cm-row" }, "seconds a day (0: by hand)", seconds),
      make("form", { class: "cm-row", onsubmit: (event) => { event.preventDefault(); act({ do: "note", value: words.value }); } }, make("label", { class: "cm-row" }, "message", words), make("button", { class: "mw-button", type: "submit" }, "Say to all")))),
  make("div", { class: "cm-teach" },
    make("div", { class: "cm-stack" }, figure,
      make("section", { class: "mw-card cm-stack", "aria-label": "Students" }, counted, seats, students),
      again),
    make("div", { class: "cm-stack" }, entrance,
      make("section", { class: "mw-card cm-stack", "aria-label": "Best scores" }, make("h2", {}, "Best scores"), board, make("p", { class: "mw-small mw-muted" }, "0: the battery at rest. 100: the best plan for the prices that came.")),
      make("section", { class: "mw-card cm-row" },
        make("button", { class: "mw-button", type: "button", onclick: download }, "Download the table"),
        make("button", { class: "mw-button cm-take", type: "button", "aria-haspopup": "dialog", onclick: () => takeAway("Class market", view) }, "Take away"),
        make("button", { class: "mw-button", type: "button", onclick: () => sure("Close the room for good? Everything in it is forgotten.") && act({ do: "close" }) }, "Close the room")))));
const countdown = new Clock(clock);

function show(message) {
  if (message.links) {
    links = message.links;
  }
  if (message.gone) {
    dropPlace(location.pathname + location.hash);
  }
  if (message.gone || message.many) {
    fill(page, make("p", { class: "mw-card" }, message.gone ? "This room is closed. " : "This room is open in too many windows; close one and load the page again. ", make("a", { href: "/class" }, "Open another one")));
    return;
  }
  view = message.view || view;
  if (!view) {
    return;
  }
  title.textContent = `${view.scenario.title}`;
  warning.hidden = !view.warning;
  warning.textContent = view.warning;
  about.textContent = `${view.tariff}. ${view.households.toLocaleString("en")} homes, room for ${view.seats === null ? "…" : view.seats - view.removed} students.`;
  countdown.set(view.seconds_left);
  state.textContent = sentence();
  next.disabled = resting || !view.ready || view.over || !view.present;
  freeze.textContent = view.frozen ? "Go on" : "Freeze";
  freeze.disabled = end.disabled = view.over;
  if (document.activeElement !== seconds) {
    seconds.value = view.seconds;
  }
  showEntrance();
  showFigure();
  showStudents();
  showGames();
}

function sentence() {
  if (view.failure) {
    return view.failure;
  }
  if (!view.ready) {
    return `The market is being prepared. ${view.stage || ""}`;
  }
  if (view.over) {
    return "The game is over.";
  }
  return `Day ${view.round + 1}: ${view.planned} of ${view.present} plans are in${view.frozen ? "; the clock is stopped" : ""}.`;
}

function showEntrance() {
  const key = JSON.stringify([links, view.code]);
  if (links === null || key === drawnLinks) {
    return;
  }
  drawnLinks = key;
  const places = links.length ? links : [`${location.origin}/class`];
  fill(entrance, make("h2", {}, "Join with this code"), make("p", { class: "cm-code" }, view.code),
    ...places.slice(0, 3).map((link) => make("p", {}, link)),
    links.length ? make("img", { class: "cm-qr", alt: "QR code of the link to join", src: `/class/qr.svg?code=${view.code}` })
      : make("p", { class: "mw-small mw-muted" }, "Only browsers on this computer can join. To let others in, start it with: meanwatt app --host 0.0.0.0"));
}

function showFigure() {
  const last = view.last;
  const key = last ? `${view.game}/${last.day}` : `${view.game}`;
  if (key === drawnRound) {
    return;
  }
  drawnRound = key;
  if (!last) {
    fill(figure, make("h2", {}, "The first day is yet to come"), make("p", {}, "When it is over this shows what the class did, hour by hour, beside what such homes do in the mean field."));
    return;
  }
  fill(figure, make("h2", {}, `Day ${last.day + 1}, ${last.day_type}`),
    chart({ title: "Mean net load of the class's homes", unit: "kW", height: 260,
      series: [{ name: "class", line: "mw-line-tonight", values: last.class_kw }, { name: "such homes in the mean field", line: "mw-line-mean", values: last.class_expected_kw }],
      band: { name: "as many homes that decide for themselves, 19 times of 20", low: last.class_low_kw, high: last.class_high_kw } }),
    make("p", { class: "mw-caption" }, last.sentence),
    make("div", { class: "cm-two" },
      chart({ title: "Mean net load of all homes", unit: "kW", series: [{ name: "market", line: "mw-line-a", values: last.market_kw }, { name: "mean field", line: "mw-line-mean", values: last.mean_field_kw }] }),
      chart({ title: "Wholesale price that came", unit: "¢/kWh", series: [{ name: "price", line: "mw-line-a", values: last.wholesale_usd_per_kwh.map((value) => 100 * value) }] })));
}

function showStudents() {
  counted.textContent = `Students: ${view.present}`;
  seats.hidden = !view.removed;
  seats.textContent = `${view.removed === 1 ? "1 seat is" : `${view.removed} seats are`} of students who were taken out: their days stay in the table, and the home is the autopilot's. It is not given again in this room.`;
  const key = JSON.stringify([view.students, view.leaders]);
  if (key === listed) {
    return;
  }
  listed = key;
  fill(board, ...view.leaders.map((one) => make("li", {}, make("span", {}, `${one.place}.`), make("span", { class: "cm-who" }, one.name), make("strong", {}, signed(one.score)))));
  fill(students, ...view.students.map((one) => make("li", {},
    make("span", { "aria-hidden": "true" }, one.planned ? "✓" : "…"),
    make("span", { class: "cm-who" }, one.name),
    make("span", { class: "mw-small mw-muted" }, [one.planned ? "plan is in" : "no plan yet", one.autopilot ? "autopilot last day" : "", one.score === null ? "" : `score ${signed(one.score)}`].filter(Boolean).join(", ")),
    make("button", { class: "cm-quiet", type: "button", "aria-label": `Take ${one.name} out`, title: "Take out of the room", onclick: () => sure(`Take ${one.name} out of the room?`) && act({ do: "remove", value: one.seat }) }, "✕"))));
}

function showGames() {
  if (tariff.dataset.of !== JSON.stringify(view.tariffs)) {
    tariff.dataset.of = JSON.stringify(view.tariffs);
    fill(tariff, ...view.tariffs.map(([value, text]) => make("option", { value }, text)));
  }
  const names = Object.fromEntries(view.tariffs);
  fill(games, ...view.games.map((one, k) => make("li", {}, `Game ${k + 1}: ${names[one.tariff] || one.tariff}, ${one.rounds} ${one.rounds === 1 ? "day" : "days"}${one.score === null ? "" : `, mean score ${signed(one.score)}`}`)));
}

const line = new Line({ key: keyOfPage() }, show, (away) => { lost.hidden = !away; });
