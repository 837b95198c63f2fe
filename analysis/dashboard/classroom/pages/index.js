import { fill, keepPlace, make, paint, places, question } from "./shared.js";

paint();
const page = document.getElementById("page");
const said = make("p", { role: "status", class: "cm-refused", hidden: true });

function refuse(text) {
  said.textContent = text;
  said.hidden = !text;
}

function field(label, control) {
  return make("label", {}, label, control);
}

const code = make("input", { type: "text", name: "code", maxlength: 12, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", required: true, value: new URLSearchParams(location.search).get("code") });
const name = make("input", { type: "text", name: "name", maxlength: 20, autocomplete: "off", spellcheck: "false", required: true });

async function join(event) {
  event.preventDefault();
  refuse("");
  const answer = await question("/class/join", { code: code.value, name: name.value });
  if (answer.refused) {
    refuse(answer.refused);
  } else {
    const link = `/class/play#${encodeURIComponent(answer.token)}`;
    keepPlace(`${name.value.trim()} in ${code.value.trim().toUpperCase()}`, link);
    location.assign(link);
  }
}

const joining = make("form", { class: "mw-card cm-form", onsubmit: join },
  make("h2", {}, "Join a class"),
  field("Code on the teacher's screen", code),
  field("Your name in this class (not your real one)", name),
  make("button", { class: "mw-button mw-primary", type: "submit" }, "Join"));

function opening(scenarios) {
  const scenario = make("select", { name: "scenario" }, ...scenarios.map((one) => make("option", { value: one.name }, one.title)));
  const tariff = make("select", { name: "tariff" });
  const households = make("input", { type: "number", name: "households", min: 100, max: 20000, step: 1, value: 2000 });
  const seconds = make("input", { type: "number", name: "seconds", min: 0, max: 3600, step: 1, value: 0 });
  const chosen = () => scenarios.find((one) => one.name === scenario.value);
  const list = () => {
    fill(tariff, ...chosen().tariffs.map(([value, title]) => make("option", { value }, title)));
    tariff.value = chosen().default;
  };
  scenario.value = scenarios.some((one) => one.name === "oahu") ? "oahu" : scenarios[0].name;
  scenario.addEventListener("change", list);
  list();
  async function open(solo) {
    refuse("");
    const given = { scenario: scenario.value, tariff: tariff.value, households: Number(households.value), seconds: solo ? 0 : Number(seconds.value), solo };
    const answer = await question("/class/rooms", given);
    if (answer.refused) {
      refuse(answer.refused);
    } else {
      const link = solo ? `/class/play#${encodeURIComponent(answer.token)}` : `/class/teach#${encodeURIComponent(answer.key)}`;
      keepPlace(solo ? `playing alone, ${scenario.value}` : `the teacher of ${answer.code}`, link);
      location.assign(link);
    }
  }
  return make("form", { class: "mw-card cm-form", onsubmit: (event) => { event.preventDefault(); open(false); } },
    make("h2", {}, "Open a room, or play alone"),
    field("Scenario", scenario),
    field("Tariff", tariff),
    field("Homes in the market, the students' among them (100 to 20,000)", households),
    field("Seconds for a day; 0: the teacher ends it", seconds),
    make("div", { class: "cm-row" },
      make("button", { class: "mw-button mw-primary", type: "submit" }, "Open a room"),
      make("button", { class: "mw-button", type: "button", onclick: () => open(true) }, "Play alone")));
}

async function start() {
  let choices = { scenarios: [], may_open: false };
  try {
    choices = await (await fetch("/class/choices")).json();
  } catch (error) {
    refuse("The server does not answer; load the page again.");
  }
  fill(page,
    make("div", { class: "mw-card" },
      make("h1", {}, "Class market"),
      make("p", {}, "Each student is one household among thousands: a roof, a battery, a bill. Every round is a day. You plan when your battery charges and discharges; the price answers what all homes do; the bill comes at midnight. Who sends no plan is played by the autopilot: the market never waits.")),
    said,
    places().length ? make("nav", { class: "mw-card cm-row", "aria-label": "Go on" }, make("span", {}, "Go on as:"), ...places().map((place) => make("a", { class: "mw-button", href: place.link }, place.title))) : null,
    make("div", { class: "cm-two" }, joining,
      choices.may_open && choices.scenarios.length ? opening(choices.scenarios)
        : make("div", { class: "mw-card" }, make("h2", {}, "For the teacher"), make("p", {}, "Rooms are opened in a browser on the computer that runs Meanwatt."))));
}

start();
