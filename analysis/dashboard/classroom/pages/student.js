import { Clock, Line, REST_MS, chart, dropPlace, fill, keyOfPage, make, paint, signed, takeAway, usd } from "./shared.js";

paint();
const GLYPHS = { r: "·", s: "☀", c: "▲", u: "⌂", d: "▼" };
const page = document.getElementById("page");
const lost = make("p", { class: "cm-lost", role: "alert", hidden: true }, "The connection is lost; this page tries again by itself.");
const title = make("h1", {}, "Your home");
const about = make("p", { class: "mw-muted" });
const clock = make("strong", { class: "cm-big", role: "timer", "aria-label": "time left" });
const note = make("p", { class: "cm-note", role: "status", hidden: true });
const state = make("p", { role: "status" });
const forecast = make("div", { class: "cm-two" });
const brushes = make("fieldset", { class: "cm-brushes" });
const hours = make("div", { class: "cm-hours", role: "group", "aria-label": "Plan, hour by hour" });
const send = make("button", { class: "mw-button mw-primary", type: "button" }, "Send plan");
const reuse = make("button", { class: "mw-button", type: "button" }, "As last time");
const clear = make("button", { class: "mw-button", type: "button" }, "All rest");
const mark = make("p", { role: "status" });
const planner = make("section", { class: "mw-card cm-stack", "aria-label": "Your plan" }, make("h2", {}, "Your plan for the battery"), forecast, brushes, hours, make("div", { class: "cm-row" }, send, reuse, clear), mark);
const result = make("section", { class: "mw-card cm-stack", "aria-label": "The day that is over", hidden: true });
const numbers = make("dl", { class: "cm-numbers" });
fill(page, lost, make("section", { class: "mw-card cm-stack" }, make("div", { class: "cm-head" }, title, clock), about, note, state, numbers), planner, result,
  make("p", { class: "cm-row" }, make("button", { class: "mw-button cm-take", type: "button", "aria-haspopup": "dialog", onclick: () => takeAway("Class market, your home", view) }, "Take away")));
const countdown = new Clock(clock);

let resting = false, view = null, brush = "s", plan = [], planned = null, shownDay = null, last = null;

function show(message) {
  if (message.gone) {
    dropPlace(location.pathname + location.hash);
  }
  if (message.gone || message.many) {
    planner.hidden = true;
    state.textContent = message.gone ? "This room is closed, or you were taken out of it. " : "This home is open in too many windows; close one and load the page again.";
    if (message.gone) {
      state.append(make("a", { href: "/class" }, "Join another one"));
    }
    return;
  }
  if (message.counts && view) {
    Object.assign(view, message.counts);
    state.textContent = sentence();
    heard(message.own);
  }
  if (!message.view) {
    return;
  }
  view = message.view;
  title.textContent = view.solo ? "Your home" : view.name;
  countdown.set(view.seconds_left);
  note.hidden = !view.note;
  note.textContent = view.note;
  about.textContent = view.home ? `${view.home.income_group} income, ${view.home.pv_kw} kW solar, a battery of ${view.home.battery_kwh} kWh. ${view.scenario.title}: ${view.tariff}.` : `${view.scenario.title}: ${view.tariff}.`;
  state.textContent = sentence();
  planner.hidden = !view.morning || view.over;
  showNumbers();
  if (view.morning && !view.over) {
    const day = `${view.game}/${view.round}`;
    if (day !== shownDay) {
      shownDay = day;
      begin();
    } else {
      heard(view);
    }
    showPlan();
  }
  showResult();
}

function sentence() {
  if (view.failure) {
    return view.failure;
  }
  if (!view.ready || !view.morning) {
    return `The market is being prepared. ${view.stage || ""}`;
  }
  if (view.over) {
    return view.solo ? "This game is over. The score is final; open another game on the page Class market." : "This game is over. The scores are final.";
  }
  const day = `Day ${view.morning.day + 1}, ${view.morning.day_type}.`;
  if (view.frozen) {
    return `${day} The teacher has stopped the clock.`;
  }
  const charge = Math.round(100 * view.morning.charge);
  return view.solo ? `${day} Your battery is ${charge} % full. Your plan starts the day.` : `${day} Your battery is ${charge} % full. ${view.planned} of ${view.present} plans are in.`;
}

function begin() {
  const slots = view.morning.import_usd_per_kwh.length;
  planned = view.plan;
  plan = planned ? [...planned] : Array(slots).fill("r");
  mark.textContent = "";
  mark.className = "";
  const cents = (values) => values.map((value) => 100 * value);
  fill(forecast,
    chart({ title: "What you expect to pay and get", unit: "¢/kWh", series: [
      { name: "you pay", line: "mw-line-buy", values: cents(view.morning.import_usd_per_kwh) },
      { name: "you get", line: "mw-line-sell", values: cents(view.morning.export_usd_per_kwh) }] }),
    chart({ title: "Sun on your roof, and your use", unit: "kW", series: [
      { name: "sun", line: "mw-line-mean", values: view.morning.pv_kw },
      { name: "use", line: "mw-line-a", values: view.morning.reference_kw }] }));
  fill(brushes, make("legend", {}, "Choose what to do, then tap or drag over hours:"), ...view.wishes.map((wish) =>
    make("label", { class: "cm-brush", "data-wish": wish.letter },
      make("input", { type: "radio", name: "brush", value: wish.letter, checked: wish.letter === brush, onchange: () => { brush = wish.letter; } }),
      make("i", { "aria-hidden": "true" }, GLYPHS[wish.letter]), wish.word)));
  fill(hours, ...plan.map((_, slot) => make("button", { class: "cm-hour", type: "button", "data-slot": slot, onclick: () => put(slot) },
    make("i", { "aria-hidden": "true" }), make("small", {}, `${(24 * slot) / slots}`))));
}

function heard(own) {  // a plan that this student sent, perhaps from another window
  if (!own || !own.plan || own.plan === planned || own.round !== view.round || !shownDay) {
    return;
  }
  const untouched = plan.join("") === (planned === null ? "r".repeat(plan.length) : planned);
  planned = own.plan;
  if (untouched) {
    plan = [...own.plan];
  }
  mark.className = "cm-good";
  mark.textContent = "Your plan is in. You can change it until the day ends.";
  showPlan();
}

function put(slot) {
  plan[slot] = brush;
  showPlan();
}

function showPlan() {
  const words = Object.fromEntries(view.wishes.map((wish) => [wish.letter, wish.word]));
  [...hours.children].forEach((button, slot) => {
    button.dataset.wish = plan[slot];
    button.firstChild.textContent = GLYPHS[plan[slot]];
    button.setAttribute("aria-label", `${button.lastChild.textContent} h: ${words[plan[slot]]}`);
    button.disabled = view.frozen;
  });
  send.disabled = resting || view.frozen;
  send.textContent = view.solo ? "Live this day" : planned === null ? "Send plan" : planned === plan.join("") ? "Plan is in" : "Send changed plan";
  reuse.hidden = !last;
}

hours.addEventListener("pointermove", (event) => {
  if (!event.buttons) {
    return;
  }
  const under = document.elementFromPoint(event.clientX, event.clientY);
  const cell = under && under.closest(".cm-hour");
  if (cell && !cell.disabled && plan[cell.dataset.slot] !== brush) {
    put(Number(cell.dataset.slot));
  }
});
hours.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest(".cm-hour");
  if (cell && cell.hasPointerCapture(event.pointerId)) {
    cell.releasePointerCapture(event.pointerId);
  }
});
clear.addEventListener("click", () => { plan.fill("r"); showPlan(); });
reuse.addEventListener("click", () => { plan = [...last]; showPlan(); });
send.addEventListener("click", async () => {
  const letters = plan.join(""), round = view.round;
  if (view.solo) {
    resting = true;
    send.disabled = true;
    setTimeout(() => { resting = false; send.disabled = view.frozen; }, REST_MS);
  }
  const answer = await line.ask({ plan: letters, round });
  if (answer.refused) {
    mark.className = "cm-refused";
    mark.textContent = answer.refused;
    return;
  }
  last = letters;
  if (view.round === round) {
    planned = letters;
    mark.className = "cm-good";
    mark.textContent = "Your plan is in. You can change it until the day ends.";
    showPlan();
  }
});

function showNumbers() {
  if (!view.total) {
    fill(numbers);
    return;
  }
  const place = view.place ? `${view.place.place} of ${view.place.of}` : "–";
  const pairs = [["score so far", view.score === null ? "–" : signed(view.score)], ["your bills", usd(view.total.bill_usd)], ["saved by the battery", usd(view.total.saved_usd)]];
  if (!view.solo) {
    pairs.push(["place", place]);
  }
  fill(numbers, ...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function showResult() {
  const day = view.last;
  result.hidden = !day;
  if (!day || result.dataset.day === `${view.game}/${day.day}`) {
    return;
  }
  result.dataset.day = `${view.game}/${day.day}`;
  const cents = (values) => values.map((value) => 100 * value);
  const saved = day.saved_usd < 0 ? `cost you ${usd(-day.saved_usd)} more than a battery at rest; ${usd(day.possible_usd)} could have been saved` : `saved ${usd(day.saved_usd)} of ${usd(day.possible_usd)} that could be saved`;
  const by = day.autopilot ? "No plan came from you, so the autopilot played: what a home of your kind does in equilibrium." : "";
  const score = day.score === null ? "There was nothing to gain that day." : `Score ${signed(day.score)}: 0 is the battery at rest, 100 the best plan for the prices that came.`;
  fill(result,
    make("h2", {}, `Day ${day.day + 1}, ${day.day_type}: bill ${usd(day.bill_usd)}`),
    make("p", {}, `${by} Your battery ${saved}. ${score}`.trim()),
    make("p", { class: "mw-muted mw-small" }, "What is saved counts your payments, the wear of the battery, and the charge left at midnight at what it is worth in the mean field."),
    make("div", { class: "cm-two" },
      chart({ title: "Charge of your battery", unit: "% full", floor: 0, ceiling: 100, series: [
        { name: "yours", line: "mw-line-a", values: day.charge.map((part) => 100 * part), edges: true },
        { name: "best plan", line: "mw-line-mean", values: day.best_charge.map((part) => 100 * part), edges: true }] }),
      chart({ title: "Rates that came", unit: "¢/kWh", series: [
        { name: "you paid", line: "mw-line-buy", values: cents(day.import_usd_per_kwh) },
        { name: "you got", line: "mw-line-sell", values: cents(day.export_usd_per_kwh) }] })));
}

const line = new Line({ token: keyOfPage() }, show, (away) => { lost.hidden = !away; });
