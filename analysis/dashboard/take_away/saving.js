// Figures and tables of the page as files of their own: SVG, PNG, CSV. No markup of the page is changed, but for a
// "Show as table" that is open while it is read. It knows no page: a figure is an SVG with role=img within a named
// section, its key the paragraph whose class ends with "-key", its caption ".mw-caption".
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const EDGE = 16;
  const SCALE = 2;  // pixels of the PNG to one of the page
  const PAINT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "opacity", "stop-color", "stop-opacity", "font-family", "font-size", "font-weight", "font-style", "font-variant-numeric", "text-anchor", "paint-order"];

  const clean = (text) => (text || "").replace(/\s+/g, " ").trim();

  function made(name, attributes, ...children) {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...children);
    return element;
  }

  const width = (svg) => svg.getBoundingClientRect().width ? Number(svg.getAttribute("width")) || svg.clientWidth : 0;
  const height = (svg) => Number(svg.getAttribute("height")) || svg.clientHeight;

  // --- a drawing with the colours and letters that it has on the page ------------------------------------------------

  function resolved(source) {
    const copy = source.cloneNode(true);
    const from = [source, ...source.querySelectorAll("*")];
    const to = [copy, ...copy.querySelectorAll("*")];
    from.forEach((element, k) => {
      const style = getComputedStyle(element);
      const gone = style.display === "none" && !["title", "desc", "defs", "stop", "linearGradient"].includes(element.localName);
      if (gone || style.visibility === "hidden") {
        to[k].remove();
        return;
      }
      [...to[k].attributes].forEach((one) => {
        if (one.name === "class" || one.name === "style" || one.name === "tabindex" || /^(data|aria)-|^role$|^on/.test(one.name)) {
          to[k].removeAttribute(one.name);
        }
      });
      if (!["title", "desc", "defs"].includes(element.localName)) {
        PAINT.forEach((name) => {
          const url = element.getAttribute(name);
          const value = url && url.startsWith("url(") ? url : style.getPropertyValue(name);
          if (value && value !== "none" || name === "fill") {
            to[k].setAttribute(name, value.replaceAll('"', "'"));
          }
        });
      }
    });
    return copy;
  }

  function ground(element) {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/^rgba\(.*, 0\)$|^transparent$/.test(colour)) {
        return colour;
      }
    }
    return "rgb(255, 255, 255)";
  }

  // --- words around a drawing ------------------------------------------------------------------------------------------

  const ruler = document.createElement("canvas").getContext("2d");
  const FAMILY = "Roboto, 'Segoe UI', system-ui, sans-serif";

  function long(text, size, weight) {
    ruler.font = `${weight} ${size}px ${FAMILY}`;
    return ruler.measureText(text).width;
  }

  function lines(text, size, weight, room) {
    const rows = [""];
    clean(text).split(" ").forEach((word) => {
      const longer = rows[rows.length - 1] ? `${rows[rows.length - 1]} ${word}` : word;
      if (long(longer, size, weight) > room && rows[rows.length - 1]) {
        rows.push(word);
      } else {
        rows[rows.length - 1] = longer;
      }
    });
    return rows.filter(Boolean);
  }

  function write(into, text, size, weight, ink, x, top, room) {
    let at = top;
    lines(text, size, weight, room).forEach((row) => {
      at += size * 1.35;
      into.append(made("text", { x, y: at, fill: ink, "font-family": FAMILY, "font-size": `${size}px`, "font-weight": weight }, row));
    });
    return at;
  }

  function words(element) {  // what is read of it, without help, drawings and what is not seen
    const copy = element.cloneNode(true);
    copy.querySelectorAll(".mw-q, svg, [aria-hidden=true], .mw-tray-label").forEach((one) => one.remove());
    return clean(copy.textContent);
  }

  function key(into, entries, ink, top, room) {
    let x = EDGE, y = top, row = 0;
    entries.forEach((entry) => {
      const drawings = [...entry.querySelectorAll("svg")];
      const wide = drawings.reduce((sum, one) => sum + width(one) + 6, 0);
      const text = words(entry);
      const size = wide + long(text, 14, 400);
      if (x > EDGE && x + size > EDGE + room) {
        x = EDGE;
        y += row + 4;
        row = 0;
      }
      let at = x;
      drawings.forEach((one) => {
        const copy = resolved(one);
        copy.setAttribute("x", at);
        copy.setAttribute("y", y + Math.max(0, (20 - height(one)) / 2));
        into.append(copy);
        at += width(one) + 6;
      });
      into.append(made("text", { x: at, y: y + 15, fill: ink, "font-family": FAMILY, "font-size": "14px" }, text));
      row = Math.max(row, 20);
      x += size + 18;
    });
    return entries.length ? y + row : top;
  }

  // --- figures ---------------------------------------------------------------------------------------------------------

  const card = (element) => element.closest("section, form") || element.closest("figure, [role=group]") || element.parentElement;

  function name(element) {
    const around = card(element);
    const heading = around.querySelector("h2, h3, caption, figcaption");
    const part = element.closest("figure") && element.closest("figure").querySelector("figcaption, h3");
    const whole = clean(around.getAttribute("aria-label")) || (heading ? words(heading) : "");
    const own = part && words(part) !== whole ? words(part) : "";
    return [whole, own].filter(Boolean).join(", ") || clean(element.getAttribute("aria-label")).split(/[.:]/)[0] || "Figure";
  }

  function whole(svg, about) {  // heading, key, drawing, scale of colours, caption: as one drawing
    const around = card(svg), figure = svg.closest("figure");
    const ink = getComputedStyle(around).color, room = Math.max(width(svg), 320);
    const parts = [...around.querySelectorAll('[class$="-key"], [class*="-key "]')].filter((one) => !one.closest("figure") || one.closest("figure") === figure);
    const entries = parts.flatMap((part) => [...part.children]).filter((one) => one.getBoundingClientRect().width > 0 && getComputedStyle(one).visibility !== "hidden");
    const out = made("svg", { xmlns: SVG });
    const title = name(svg);
    out.append(made("title", {}, title), made("desc", {}, [clean(svg.getAttribute("aria-label")), ...about.map(([what, said]) => `${what}: ${said}`)].filter(Boolean).join("\n")));
    const back = made("rect", { x: 0, y: 0, fill: ground(around) });
    out.append(back);
    let y = write(out, title, 18, 700, ink, EDGE, EDGE / 2, room) + 8;
    y = key(out, entries, ink, y, room) + 8;
    const below = [...around.querySelectorAll(".mw-legend svg")];
    [svg, ...below].forEach((one) => {
      const copy = resolved(one);
      copy.setAttribute("x", EDGE);
      copy.setAttribute("y", y);
      copy.setAttribute("width", width(one));
      copy.setAttribute("height", height(one));
      copy.setAttribute("overflow", "visible");
      out.append(copy);
      y += height(one) + 4;
    });
    const caption = around.querySelector(".mw-caption, .mw-map-caption");
    y = caption ? write(out, words(caption), 15, 400, ink, EDGE, y, room) : y;
    const size = [room + 2 * EDGE, Math.ceil(y + EDGE)];
    [out, back].forEach((one) => { one.setAttribute("width", size[0]); one.setAttribute("height", size[1]); });
    out.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    return out;
  }

  async function letters(out) {  // the page's own letters go with the file, where the page has brought any
    const used = new Set([...out.querySelectorAll("text, tspan")].map((one) => Number(one.getAttribute("font-weight")) >= 600 ? "700" : "400"));
    const rules = [...document.styleSheets].flatMap((sheet) => {
      try {
        return [...sheet.cssRules];
      } catch (error) {  // a sheet that may not be read
        return [];
      }
    }).filter((rule) => rule instanceof CSSFontFaceRule && /^"?Roboto"?$/.test(rule.style.getPropertyValue("font-family"))
      && rule.style.getPropertyValue("font-style") === "normal" && used.has(rule.style.getPropertyValue("font-weight")));
    const faces = await Promise.all(rules.map(async (rule) => {
      const found = rule.style.getPropertyValue("src").match(/url\("?([^")]+\.woff2)"?\)/);
      if (!found) {
        return "";
      }
      try {
        const bytes = new Uint8Array(await (await fetch(new URL(found[1], rule.parentStyleSheet.href || location.href))).arrayBuffer());
        const text = btoa(bytes.reduce((all, one) => all + String.fromCharCode(one), ""));
        return `@font-face{font-family:Roboto;font-weight:${rule.style.getPropertyValue("font-weight")};src:url(data:font/woff2;base64,${text}) format("woff2")}`;
      } catch (error) {  // the file names the letters all the same
        return "";
      }
    }));
    const css = faces.join("");
    if (css) {
      out.querySelector("desc").after(made("style", {}, css));
    }
  }

  async function svgText(svg, about) {
    const out = whole(svg, about);
    await letters(out);
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(out);
  }

  // --- PNG -------------------------------------------------------------------------------------------------------------

  function checksum(bytes) {
    let sum = 0xffffffff;
    bytes.forEach((one) => {
      sum ^= one;
      for (let k = 0; k < 8; k += 1) {
        sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
      }
    });
    return (sum ^ 0xffffffff) >>> 0;
  }

  function told(word, text) {  // a chunk of text that says what a picture is of
    const body = new TextEncoder().encode(`iTXt${word}\0\0\0\0\0${text}`);
    const chunk = new Uint8Array(body.length + 8), view = new DataView(chunk.buffer);
    view.setUint32(0, body.length - 4);
    chunk.set(body, 4);
    view.setUint32(body.length + 4, checksum(body));
    return chunk;
  }

  async function png(svg, about) {
    const text = await svgText(svg, about);
    const picture = new Image();
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(picture.width * SCALE);
    canvas.height = Math.ceil(picture.height * SCALE);
    const pen = canvas.getContext("2d");
    pen.scale(SCALE, SCALE);
    pen.drawImage(picture, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const first = 33;  // signature and header stand before any text
    const said = about.map(([what, value]) => `${what}: ${value}`).join("\n");
    return new Blob([bytes.slice(0, first), told("Title", name(svg)), told("Description", said), bytes.slice(first)], { type: "image/png" });
  }

  window.meanwattSaving = { clean, words, name, card, svgText, png };
})();
