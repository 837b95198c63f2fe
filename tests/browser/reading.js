// What a reader needs, asked of the page as it stands. Both functions look at everything under .mw.
window.meanwattReading = {
  // Controls and pictures without a name, as the beginning of their HTML.
  nameless() {
    const kinds = "button, select, input, a, summary, progress, [role=img]";
    const named = (element) => {
      const labels = element.labels ? [...element.labels] : [];
      const spoken = ["BUTTON", "SUMMARY", "A"].includes(element.tagName) && element.textContent.trim();
      return element.getAttribute("aria-label") || labels.some((label) => label.textContent.trim()) || spoken;
    };
    return [...document.querySelectorAll(".mw")].flatMap((root) => [...root.querySelectorAll(kinds)])
      .filter((element) => element.getBoundingClientRect().width > 0 && !named(element))
      .map((element) => element.outerHTML.slice(0, 120));
  },

  // How many texts were read, and those whose contrast with what lies behind them is below 4.5 (WCAG 2, level AA).
  faint() {
    const parse = (text) => {
      const [r, g, b, alpha] = text.match(/[\d.]+/g).map(Number);
      return { rgb: [r, g, b], alpha: alpha === undefined ? 1 : alpha };
    };
    const linear = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const found = parse(getComputedStyle(at).backgroundColor);
        if (found.alpha > 0.99) {
          return found.rgb;
        }
      }
      return [255, 255, 255];
    };
    const faint = [];
    let read = 0;
    document.querySelectorAll(".mw *").forEach((element) => {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      const unseen = element.closest(":disabled, option, title") || !element.getBoundingClientRect().width;
      if (!own || unseen) {
        return;
      }
      const style = getComputedStyle(element);
      const ink = parse(element instanceof SVGElement ? style.fill : style.color).rgb;
      const [low, high] = [luminance(ink), luminance(behind(element))].sort((a, b) => a - b);
      const ratio = (high + 0.05) / (low + 0.05);
      read += 1;
      if (ratio < 4.5) {
        faint.push(element.textContent.trim().slice(0, 40) + " " + ratio.toFixed(2));
      }
    });
    return [read, faint];
  },
};
