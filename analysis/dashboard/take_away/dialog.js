// The dialog that lists what can be taken away from the page at hand.
(function () {
  "use strict";
  const { clean, name, svgText, png } = window.meanwattSaving;
  const { csvText, tableOf } = window.meanwattTables;
  let open = null;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    Object.entries(attributes).forEach(([key, value]) => key.startsWith("on") ? element.addEventListener(key.slice(2), value) : element.setAttribute(key, value));
    element.append(...children);
    return element;
  }

  const seen = (element) => element.getBoundingClientRect().width > 0 && !element.closest("dialog");

  function things() {  // figures and tables, in the order of the page
    const figures = [...document.querySelectorAll(".mw svg[role=img], .mw svg[role=group]")].filter(seen).map((element) => ({ element, kind: "figure" }));
    const tables = [...document.querySelectorAll(".mw table, .mw dl.mw-metric-row, .mw dl.cm-numbers")].filter((one) => !one.closest("dialog, [hidden]"))
      .map((element) => ({ element, kind: "table" }));
    const folded = [...document.querySelectorAll(".mw details")].filter((one) => seen(one) && !one.querySelector("table") && /table/i.test(one.querySelector("summary").textContent))
      .map((element) => ({ element, kind: "table" }));
    const order = (a, b) => a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
    const rows = new Map(), counts = {};
    [...figures, ...tables, ...folded].sort(order).forEach((one) => {  // a figure and its table are one thing
      const plain = name(one.element), key = one.kind + plain;
      counts[key] = (counts[key] || 0) + 1;
      const called = counts[key] > 1 ? `${plain} ${counts[key]}` : plain;
      rows.set(called, { ...rows.get(called), name: called, [one.kind]: one.element });
    });
    return [...rows.values()];
  }

  const TITLES = { svg: "SVG", png: "PNG", csv: "CSV", parquet: "Parquet" };
  const ENDINGS = { svg: "figure", png: "figure", csv: "table", parquet: "table" };

  function fileName(page, called, ending) {
    const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
    return `meanwatt-${plain(page)}-${plain(called).slice(0, 48).replace(/-+$/, "") || "figure"}.${ending}`;
  }

  async function parquet(text) {  // the server writes it, and keeps nothing
    const answer = await fetch("/take-away/parquet", { method: "POST", body: text });
    if ((answer.headers.get("content-type") || "").startsWith("application/json")) {
      throw new Error((await answer.json()).refused);
    }
    if (!answer.ok) {
      throw new Error("the server does not answer");
    }
    return answer.blob();
  }

  function save(blob, called) {
    const link = make("a", { href: URL.createObjectURL(blob), download: called });
    link.hidden = true;
    document.body.append(link);  // some browsers follow only links that are on the page
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);  // a busy machine reads it late
  }

  function shows(place) {
    const say = (text) => { open.status.textContent = text; };

    async function take(one, ending) {
      say("");
      const called = fileName(open.about.page || "page", one.name, ending);
      const kind = ENDINGS[ending];
      const now = one[kind].isConnected ? one : things().find((other) => other.name === one.name && other[kind]);  // drawn anew meanwhile
      const clock = document.querySelector(".mw-clock[data-day]");
      const link = location.origin + location.pathname + location.search;
      if (!now) {
        say(`${one.name} is no longer on the page; close this list and open it again.`);
        return;
      }
      const element = now[kind];
      if (document.querySelector(".mw-old")) {
        say("The page is computing, and its figures are of the settings before; try again when it is done.");
        return;
      }
      const about = [["program", `meanwatt ${open.about.version}`], ["page", open.about.page], ["shows", one.name], 
        ...open.about.settings.map(([what, said]) => [what, what === "days" && clock ? clock.dataset.day : said]), ["link", link]];
      try {
        if (kind === "table") {
          const found = await tableOf(element);
          if (!found) {
            throw new Error("there is no table");
          }
          const text = csvText(found, about);
          save(ending === "csv" ? new Blob([text], { type: "text/csv" }) : await parquet(text), called);
        } else {
          save(ending === "svg" ? new Blob([await svgText(element, about)], { type: "image/svg+xml" }) : await png(element, about), called);
        }
        say(`${called} is saved.`);
      } catch (error) {
        say(`${called} could not be made: ${error.message}.`);
      }
    }

    const list = make("ul", { class: "mw-take-list" }, ...things().map((one) => {
      const endings = Object.keys(ENDINGS).filter((ending) => one[ENDINGS[ending]]);
      const buttons = endings.map((ending) => make("button", { type: "button", class: "mw-button", "data-ending": ending, "aria-label": `${one.name} as ${TITLES[ending]}`, onclick: () => take(one, ending) }, TITLES[ending]));
      return make("li", {}, make("span", { class: "mw-take-name" }, one.name), make("span", { class: "mw-take-row" }, ...buttons));
    }));
    const status = make("p", { role: "status", class: "mw-take-status" });
    const python = make("div", { class: "mw-take-python" });
    const settings = make("p", { class: "mw-small mw-muted mw-take-settings" });
    const dialog = make("dialog", { class: "mw-take", "aria-labelledby": "mw-take-title" },
      make("div", { class: "mw-take-top" }, make("h2", { id: "mw-take-title" }, "Take away"), make("button", { type: "button", class: "mw-button", onclick: () => dialog.close() }, "Close")),
      settings, list.children.length ? list : make("p", {}, "This page has no figure and no table."), python, status);
    dialog.addEventListener("keydown", (event) => event.stopPropagation());  // no key of the page works in here
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => { dialog.remove(); open = null; });
    place.append(dialog);
    open = { dialog, status, python, settings, about: { page: "", version: "", settings: [], python: "", why: "" } };
    dialog.showModal();
  }

  function tell(about) {  // what the server says of the page: its name, settings, and the lines in Python
    if (!open) {
      return;
    }
    open.about = about;
    open.settings.textContent = [about.page, ...about.settings.map(([what, said]) => `${what} ${said}`), `Meanwatt ${about.version}`].map(clean).join(" · ");
    const text = make("pre", { tabindex: "0", role: "group", "aria-label": "Lines in Python" }, about.python || "");
    const copy = make("button", { type: "button", class: "mw-button", onclick: async () => {
      try {
        await navigator.clipboard.writeText(about.python);
        open.status.textContent = "The lines are copied.";
      } catch (error) {
        getSelection().selectAllChildren(text);
        open.status.textContent = "The browser keeps its clipboard to itself; the lines are selected, press Ctrl+C.";
      }
    } }, "Copy as Python");
    open.python.replaceChildren(...(about.python ? [make("h3", {}, "The same in Python"), text, copy] : about.why ? [make("p", { class: "mw-small mw-muted" }, about.why)] : []));
    open.dialog.dataset.told = "yes";
  }

  window.meanwattTakeAway = { shows, tell };
})();
