// Tables of the page as CSV: what the table is of stands in front, as comments; numbers are numbers, and no cell is a
// formula to a spreadsheet.
(function () {
  "use strict";
  const { clean, words } = window.meanwattSaving;
  const NUMBER = /^[+-]?(\d[\d,]*)?(\.\d+)?(e[+-]?\d+)?$/i;
  const UNDEFINED = ["–", "—", "…"];

  function number(text) {  // as programs read it; null if it is none
    const plain = text.replaceAll("−", "-").replace(/^([+-]) /, "$1");
    return /\d/.test(plain) && NUMBER.test(plain) ? plain.replaceAll(",", "").replace(/^\+/, "") : null;
  }

  function cell(text, head) {
    const said = clean(text);
    if (UNDEFINED.includes(said)) {
      return "";
    }
    const bare = /%/.test(head || "") ? said.replace(/ ?%$/, "") : said;
    const found = number(bare);
    return found !== null ? found : /^[=+\-@|\t\r]/.test(said) ? "'" + said : said;
  }

  function quoted(text) {
    return /[",\n\r]|^#|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function shown(element) {  // words of a cell; a small unit behind a name goes into brackets
    const copy = element.cloneNode(true);
    copy.querySelectorAll("th .mw-muted, .mw-tray-unit").forEach((one) => one.remove());
    const link = copy.children.length === 1 && copy.querySelector(":scope > a[href]:not(.mw-q)");
    if (link && clean(copy.textContent) === "link") {
      return new URL(link.getAttribute("href"), location.href).href;
    }
    const unit = element.matches("th") ? element.querySelector(".mw-muted, .mw-tray-unit") : null;
    return words(copy).replace(unit ? words(unit) : "", "").trim() + (unit && words(unit) ? ` (${words(unit)})` : "");
  }

  function spread(row, judged) {  // one text for each column that a row covers; a verdict beside a number has its own
    let column = 0;
    return [...row.cells].flatMap((one) => {
      const verdict = one.querySelector(".mw-verdict");
      const rest = one.cloneNode(true);
      const wanted = judged.has(column);
      if (wanted) {
        rest.querySelectorAll(".mw-verdict").forEach((part) => part.remove());
      }
      column += one.colSpan;
      const texts = [shown(rest), ...Array(one.colSpan - 1).fill("")];
      return wanted || (judged.has(column - 1) && one.colSpan > 1) ? [...texts, wanted ? (verdict ? words(verdict) : one.matches("thead th") ? "verdict" : "") : ""] : texts;
    });
  }

  function columnsJudged(table) {  // those in which a verdict stands beside something else
    const found = new Set();
    [...table.rows].forEach((row) => {
      let column = 0;
      [...row.cells].forEach((one) => {
        const verdict = one.querySelector(".mw-verdict");
        if (verdict && words(one) !== words(verdict)) {
          found.add(column);
        }
        column += one.colSpan;
      });
    });
    return found;
  }

  function headsOf(table, judged) {  // a name for each column; of heads in several rows all that stand above it
    const rows = table.tHead ? [...table.tHead.rows] : [];
    if (rows.length < 2) {
      return rows.length ? spread(rows[0], judged) : [];
    }
    const above = [];  // by column the texts of its heads
    const taken = rows.map(() => []);  // by row the columns that a cell covers
    rows.forEach((row, at) => {
      let column = 0;
      [...row.cells].forEach((one) => {
        while (taken[at][column]) {
          column += 1;
        }
        const text = shown(one);
        for (let last = column + one.colSpan; column < last; column += 1) {
          (above[column] ||= []).push(text);
          taken.slice(at, at + one.rowSpan).forEach((covered) => { covered[column] = true; });
        }
      });
    });
    return [...above].flatMap((texts, k) => [(texts || []).filter(Boolean).join(", "), ...(judged.has(k) ? ["verdict"] : [])]);
  }

  function ofTable(table) {
    const judged = columnsJudged(table);
    const heads = headsOf(table, judged);
    const grouped = Boolean(table.querySelector("tbody th[scope=rowgroup]"));
    const rows = [];
    [...table.tBodies].forEach((body) => {
      let group = "";
      let reaching = { texts: [], rows: 0 };  // first cells that reach down over the rows below
      [...body.rows].forEach((row) => {
        const title = row.querySelector("th[scope=rowgroup]");
        if (title) {
          group = words(title);
          return;
        }
        const above = reaching.rows > 0 ? reaching.texts : [];
        reaching.rows -= 1;
        const first = row.cells[0];
        if (first && first.rowSpan > 1) {
          reaching = { texts: [shown(first), ...Array(first.colSpan - 1).fill("")], rows: first.rowSpan - 1 };
        }
        rows.push([...(grouped ? [group] : []), ...above, ...spread(row, judged)]);
      });
    });
    const columns = [...(grouped ? ["group"] : []), ...heads];
    const kept = columns.map((head, k) => Boolean(clean(head)) || rows.some((row) => clean(row[k])));
    const only = (row) => row.filter((_, k) => kept[k] !== false);
    return { columns: only(columns), rows: rows.map(only) };
  }

  function ofNumbers(list) {  // cards of numbers: name, value, and what stands beside it
    const rows = [...list.children].map((one) => {
      const name = one.querySelector("dt summary") || one.querySelector("dt");
      const value = one.querySelector("dd b") || one.querySelector("dd");
      const beside = [...one.querySelectorAll("dd")].slice(1).map((said) => words(said)).filter(Boolean).join("; ");
      const unit = one.querySelector("dd .mw-muted");
      return [clean(name.textContent), clean(value.textContent), unit && value.matches("b") ? words(unit) : "", beside];
    });
    return { columns: ["number", "value", "unit", "beside"], rows };
  }

  function csvText(found, about) {
    const head = about.map(([what, said]) => `# ${what}: ${clean(String(said))}\n`).join("");
    const row = (cells) => cells.map((text) => quoted(text)).join(",") + "\n";
    return head + row(found.columns.map((text) => cell(text))) + found.rows.map((cells) => row(cells.map((text, k) => cell(text, found.columns[k])))).join("");
  }

  async function opened(details, read) {  // a table that is made only while it is open
    const was = details.open;
    details.open = true;
    for (let k = 0; k < 120 && !details.querySelector("table"); k += 1) {
      await new Promise((done) => setTimeout(done, 25));
    }
    const table = details.querySelector("table");
    const found = table && read(table);
    details.open = was;
    return found;
  }

  async function tableOf(element) {
    return element.matches("table") ? ofTable(element) : element.matches("dl") ? ofNumbers(element) : opened(element, ofTable);
  }

  window.meanwattTables = { cell, csvText, tableOf };
})();
