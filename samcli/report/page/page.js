"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { palette, sections } = read("plots");
  const root = document.documentElement;
  const PRINTED = { width: 660, height: 360 }; // pixels, of which a sheet of A4 has room for
  const ON_DARK = { "#000000": "#f2f4f6", "#0072B2": "#3a9ad9", "#009E73": "#1fbf92" };
  let printing = false;

  // what is kept while the page loads itself anew; a browser may refuse to keep anything
  const keep = (key, value, store = sessionStorage) => { try { store.setItem(`samcli ${key}`, value); } catch { /* without */ } };
  const kept = (key, store = sessionStorage) => { try { return store.getItem(`samcli ${key}`); } catch { return null; } };
  const place = location.pathname;

  // ---- light and dark
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => !printing && (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const button = document.getElementById("theme");
  function nameTheme() { button.textContent = isDark() ? "Light" : "Dark"; }
  function chooseTheme(theme) { root.dataset.theme = theme; nameTheme(); repaint(); }
  if (kept("theme")) root.dataset.theme = kept("theme");
  button.hidden = false;
  button.addEventListener("click", () => { const theme = isDark() ? "light" : "dark"; keep("theme", theme); chooseTheme(theme); });
  system.addEventListener("change", () => { nameTheme(); repaint(); });

  // ---- how a setting looks: colour, symbol and stroke each go round by themselves
  const of = (list, number) => list[number % list.length];
  function colour(number) { const plain = of(palette.colours, number); return isDark() ? ON_DARK[plain] ?? plain : plain; }
  function faint(number, opacity) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour(number).slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${opacity})`;
  }
  const SHAPES = {
    circle: "M16 3.5a4.5 4.5 0 1 0 .01 0Z", square: "M12 4h8v8h-8Z", "triangle-up": "M16 3l5 9h-10Z", diamond: "M16 2.5l5 5.5-5 5.5-5-5.5Z",
    "triangle-down": "M16 13l5-9h-10Z", cross: "M14 3h4v3h3v4h-3v3h-4v-3h-3v-4h3Z",
    x: "M12.5 3l3.5 3.2 3.5-3.2 1.8 1.8-3.2 3.2 3.2 3.2-1.8 1.8-3.5-3.2-3.5 3.2-1.8-1.8 3.2-3.2-3.2-3.2Z", "triangle-left": "M11 8l9-5v10Z",
  };
  const STROKES = { solid: "", dash: "6 4", dashdot: "6 3 1.5 3", dot: "1.5 3" };
  function swatch(number, hasLine) {
    const of_ = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const drawn = of_("svg", { width: 32, height: 16, "aria-hidden": "true" });
    const line = { x1: 0, x2: 32, y1: 8, y2: 8, stroke: colour(number), "stroke-width": 2, "stroke-dasharray": STROKES[of(palette.dashes, number)] };
    if (hasLine) drawn.append(of_("line", line));
    drawn.append(of_("path", { d: SHAPES[of(palette.symbols, number)], fill: colour(number) }));
    return drawn;
  }

  // ---- a table says that it goes on beyond its right edge
  const edge = (box) => box.parentElement.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const sized = new ResizeObserver((entries) => { for (const { target } of entries) { const box = target.closest(".scroll"); if (box) edge(box); else sized.unobserve(target); } });
  const watch = (box) => { sized.observe(box); for (const inner of box.children) sized.observe(inner); };
  for (const box of document.querySelectorAll(".scroll")) { box.addEventListener("scroll", () => edge(box), { passive: true }); watch(box); }

  // ---- plots
  const digits = (value) => (value == null ? "" : Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(3) : String(+value.toPrecision(5)));
  const spread = (value, sd) => digits(value) + (sd == null ? "" : ` ± ${digits(sd)}`);

  function hovers(panel, one, seeds) {
    return one.y.map((y, at) => [
      `${panel.y.label}: ${spread(y, one.ySd?.[at])}`,
      ...(one.x[at] == null ? [] : [`${panel.x.label}: ${spread(one.x[at], one.xSd?.[at])}`]),
      seeds ? `seed ${one.seed[at]}` : `n = ${one.n[at]}`,
    ].join("<br>"));
  }
  function traces(section, panel, hidden) {
    const shown = panel.series.filter((one) => !hidden.has(one.of)).length;
    const xs = panel.series.flatMap((one) => one.x).filter((x) => x != null);
    const ends = [Math.min(...xs), Math.max(...xs)];
    const lowest = Math.min(...panel.series.flatMap((one) => one.y)) / 1.5;
    const below = (y, sd) => (panel.y.log ? Math.max(y - sd, lowest) : y - sd);
    const made = [];
    for (const one of panel.series) {
      const number = one.of, look = section.series[number].look, isLevel = section.kind === "axis" && one.x[0] == null;
      const x = isLevel ? ends : one.x, y = isLevel ? [one.y[0], one.y[0]] : one.y;
      const sd = one.ySd && (isLevel ? [one.ySd[0], one.ySd[0]] : one.ySd);
      const common = { meta: number, name: section.series[number].label, visible: !hidden.has(number), showlegend: false };
      const hasLine = section.kind === "curves" || section.kind === "axis";
      if ((section.kind === "curves" || isLevel) && sd && sd.every((value) => value != null)) {
        made.push({ ...common, x: [...x, ...x.toReversed()], y: [...y.map((v, at) => v + sd[at]), ...y.map((v, at) => below(v, sd[at])).toReversed()],
          fill: "toself", fillcolor: faint(look, Math.min(0.16, 0.5 / Math.max(shown, 1))), line: { width: 0 }, mode: "lines", hoverinfo: "skip" });
      }
      const texts = hovers(panel, one, Boolean(one.seed));
      made.push({ ...common, x, y, text: isLevel ? [texts[0], texts[0]] : texts, hovertemplate: "<b>%{fullData.name}</b><br>%{text}<extra></extra>",
        mode: isLevel ? "lines" : hasLine ? "lines+markers" : "markers",
        line: { color: colour(look), width: 2, dash: of(palette.dashes, look) },
        marker: { color: colour(look), symbol: of(palette.symbols, look), size: section.kind === "curves" ? 6 : 8, maxdisplayed: section.kind === "curves" ? 9 : 0 },
        ...(section.kind === "curves" || isLevel || !sd ? {} : { error_y: { type: "data", array: sd, thickness: 1, width: section.kind === "axis" ? 4 : 0 } }),
        ...(one.xSd ? { error_x: { type: "data", array: one.xSd, thickness: 1, width: 0 } } : {}) });
    }
    const front = panel.series.filter((one) => one.front).map((one) => [one.x[0], one.y[0]]).sort((a, b) => a[0] - b[0]);
    if (front.length > 1) {
      made.unshift({ x: front.map(([x]) => x), y: front.map(([, y]) => y), mode: "lines", line: { color: quiet(), width: 1.2, dash: "dot" }, hoverinfo: "skip", showlegend: false });
    }
    return made;
  }
  const ink = () => (isDark() ? "#e6e8eb" : "#1b1f24");
  const quiet = () => (isDark() ? "#a3abb5" : "#59616b");
  const grid = () => (isDark() ? "#2a2f36" : "#e8ebee");
  const decades = (low, high) => ({ dtick: high < 100 * low ? "D2" : 1, exponentformat: "power", showexponent: "all" });
  function ticks(section, panel) {
    const values = [...new Set(panel.series.flatMap((one) => one.x).filter((x) => x != null))].sort((a, b) => a - b);
    if (section.kind !== "axis") return panel.x.log ? decades(values[0], values.at(-1)) : {};
    const at = panel.x.log ? Math.log : (value) => value;
    const room = 0.08 * (at(values.at(-1)) - at(values[0]));
    const far = [];
    for (const value of values) if (!far.length || at(value) - at(far.at(-1)) >= room) far.push(value);
    return { tickmode: "array", tickvals: far, ticktext: far.map(String) };
  }
  const range = (panel) => { const ys = panel.series.flatMap((one) => one.y); return [Math.min(...ys), Math.max(...ys)]; };
  const CHARACTER = 7.6; // pixels of a letter on an axis, about
  function wrapped(text, room) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length * CHARACTER > room && lines.at(-1)) lines.push(word); else lines[lines.length - 1] = longer;
    }
    return lines.join("<br>");
  }
  function layout(section, panel, box) {
    const room = { x: (printing ? PRINTED.width : box.clientWidth) - 80, y: (printing ? PRINTED.height : box.clientHeight) - 70 };
    const axis = (about, more) => ({ title: { text: wrapped(about.label, about === panel.x ? room.x : room.y), standoff: 8 }, type: about.log ? "log" : "linear", gridcolor: grid(), linecolor: quiet(),
      zeroline: false, automargin: true, showline: true, ...more });
    const font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink() };
    return {
      font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 56, r: 12, t: 12, b: 48 }, hovermode: "closest", showlegend: false,
      hoverlabel: { bgcolor: isDark() ? "#262b32" : "#ffffff", bordercolor: quiet(), font: { ...font, size: 12.5 }, align: "left" },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      xaxis: axis(panel.x, ticks(section, panel)), yaxis: axis(panel.y, panel.y.log ? decades(...range(panel)) : {}),
      ...(printing ? { ...PRINTED, autosize: false } : { autosize: true }),
    };
  }
  const CONFIG = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg" } };

  class Plots {
    constructor(box, section) {
      Object.assign(this, { box, section, view: section.views[0], hidden: new Set(), canvases: [...box.querySelectorAll(".canvas")] });
      section.series.forEach((one, number) => { if (!one.shown) this.hidden.add(number); });
      for (const choice of box.querySelectorAll("[data-view]")) choice.addEventListener("click", () => this.choose(choice.dataset.view));
      box.querySelectorAll(".numbers").forEach((details, number) => details.addEventListener("toggle", () => { if (details.open) this.tell(details, number); }));
      this.legend();
    }
    choose(name) {
      this.view = this.section.views.find((view) => view.name === name) ?? this.view;
      for (const choice of this.box.querySelectorAll("[data-view]")) choice.setAttribute("aria-pressed", String(choice.dataset.view === this.view.name));
      keep(`view ${place} ${this.section.key}`, this.view.name);
      this.repaint();
      this.box.querySelectorAll(".numbers").forEach((details, number) => { if (details.open) this.tell(details, number); });
    }
    paint(canvas) {
      const panel = this.view.panels[Number(canvas.dataset.panel)];
      if (!panel) return Plotly.purge(canvas);
      canvas.dataset.drawn = "true";
      return Plotly.react(canvas, traces(this.section, panel, this.hidden), layout(this.section, panel, canvas), CONFIG);
    }
    repaint() { for (const canvas of this.canvases) if (canvas.dataset.drawn) this.paint(canvas); }
    show(numbers, isShown) {
      for (const number of numbers) isShown ? this.hidden.delete(number) : this.hidden.add(number);
      this.press();
      this.repaint();
    }
    press() { for (const one of this.box.querySelectorAll(".legend [data-of]")) one.setAttribute("aria-pressed", String(!this.hidden.has(Number(one.dataset.of)))); }
    legend() {
      const hasLine = this.section.kind === "curves" || this.section.kind === "axis";
      const buttons = this.section.series.map((one, number) => {
        const made = document.createElement("button"), words = document.createElement("bdi");
        Object.assign(made, { type: "button" }).dataset.of = number;
        words.textContent = one.name;
        made.append(swatch(one.look, hasLine), words);
        made.addEventListener("click", () => this.show([number], this.hidden.has(number)));
        return made;
      });
      const every = this.section.series.map((_, number) => number);
      const all = every.length < 4 ? [] : [["All", true], ["None", false]].map(([text, isShown]) => {
        const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, className: "all" });
        made.addEventListener("click", () => this.show(every, isShown));
        return made;
      });
      this.box.querySelector(".legend").replaceChildren(...all, ...buttons);
      this.box.querySelector(".legend").classList.toggle("many", every.length > 12);
      this.press();
    }
    tell(details, number) {
      const panel = this.view.panels[number], plain = (text) => { const made = document.createElement("span"); made.innerHTML = text; return made.textContent; };
      const head = ["Setting", plain(panel.x.label), plain(panel.y.label), "± sd", panel.series[0].seed ? "seed" : "n"];
      const table = document.createElement("table"), body = table.createTBody();
      const row = (into, texts, tag) => { const line = into.insertRow(); texts.forEach((text, at) => {
        const cell = document.createElement(at === 0 && tag === "td" ? "th" : tag), words = document.createElement("bdi");
        words.textContent = text; if (at) cell.className = "number"; cell.scope = tag === "th" ? "col" : "row"; if (at && tag === "td") cell.removeAttribute("scope");
        cell.append(words); line.append(cell); }); };
      row(table.createTHead(), head, "th");
      for (const one of panel.series) one.y.forEach((y, at) => row(body, [this.section.series[one.of].name, one.x[at] == null ? "all" : digits(one.x[at]), digits(y), digits(one.ySd?.[at]), String(one.seed?.[at] ?? one.n[at])], "td"));
      details.querySelector(".scroll").replaceChildren(table);
      sized.observe(table);
    }
  }
  const byKey = new Map(sections.map((section) => [section.key, section]));
  const all = [...document.querySelectorAll(".plots")].map((box) => new Plots(box, byKey.get(box.dataset.section)));
  function repaint() { for (const one of all) { one.legend(); one.repaint(); } }
  nameTheme();

  // ---- a plot is drawn when it comes near
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      all.find((one) => one.canvases.includes(target)).paint(target);
    }
  }, { rootMargin: "500px" });
  for (const one of all) for (const canvas of one.canvases) near.observe(canvas);

  // ---- on paper: light, every plot drawn, as wide as the sheet
  const paper = (isPrinting) => () => {
    printing = isPrinting;
    for (const one of all) { one.legend(); for (const canvas of one.canvases) if (printing || canvas.dataset.drawn) one.paint(canvas); }
  };
  addEventListener("beforeprint", paper(true));
  addEventListener("afterprint", paper(false));

  // ---- while runs go on
  const seconds = Number(root.dataset.reload);
  const folds = () => [...document.querySelectorAll("details")];
  for (const one of all) { const name = kept(`view ${place} ${one.section.key}`); if (name) one.choose(name); }
  if (seconds) {
    const before = JSON.parse(kept(`place ${place}`) ?? "null");
    if (before) { folds().forEach((one, at) => { one.open = before.open[at] ?? one.open; }); scrollTo(0, before.y); }
    history.scrollRestoration = "manual";
    setInterval(() => {
      if (document.hidden) return;
      keep(`place ${place}`, JSON.stringify({ y: scrollY, open: folds().map((one) => one.open) }));
      location.reload();
    }, 1000 * seconds);
  }
})();
