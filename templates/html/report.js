(() => {
  "use strict";

  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("data").textContent);

  /** An element with attributes and children; strings become text, never markup. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  /** A number with enough digits to tell it from its neighbours, and the real minus sign. */
  function show(value) {
    if (value == null) return "—";
    const size = Math.abs(value);
    const text =
      size !== 0 && (size < 1e-3 || size >= 1e9)
        ? value.toExponential(2).replace("e+", "e")
        : value.toLocaleString("en-US", { maximumSignificantDigits: size >= 1000 ? 7 : 4 });
    return text.replaceAll("-", "−");
  }

  /** Numbers of an axis, all with the same decimals. */
  function ticks(values) {
    const texts = values.map((value) => (value == null ? "" : show(value)));
    if (texts.some((text) => text.includes("e")))
      return values.map((value) => (value ? value.toExponential().replace("e+", "e").replaceAll("-", "−") : value === 0 ? "0" : ""));
    const decimals = Math.max(...texts.map((text) => (text.split(".")[1] ?? "").length));
    return texts.map((text) => {
      const [whole, part = ""] = text.split(".");
      return text && decimals ? `${whole}.${part.padEnd(decimals, "0")}` : text;
    });
  }

  /** Where a logarithmic axis is marked: at powers of ten, and between them where there are few. */
  function powers(low, high) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const factors = last - first > 2 ? [1] : [1, 2, 5];
    const all = [];
    for (let power = first; power <= last; power++) for (const n of factors) all.push(Number(`${n}e${power}`));
    return all.filter((value) => value >= low && value <= high);
  }

  // ---------------------------------------------------------------------------------------------- charts

  /** Index of the entry of a rising list that is nearest to x; entries without a value are passed over. */
  function nearest(xs, ys, x) {
    let best = -1;
    for (let low = 0, high = xs.length - 1; low <= high; ) {
      const middle = (low + high) >> 1;
      best = middle;
      if (xs[middle] < x) low = middle + 1;
      else high = middle - 1;
    }
    let found = -1;
    for (let i = Math.max(0, best - 3); i <= Math.min(xs.length - 1, best + 3); i++)
      if (ys[i] != null && (found < 0 || Math.abs(xs[i] - x) < Math.abs(xs[found] - x))) found = i;
    return found;
  }

  /** Where a point of a line was logged. */
  function place(line, index) {
    const row = line.rows && line.rows[index];
    if (row == null) return "";
    const [number, which] = Array.isArray(row) ? row : [row, 0];
    return line.sources[which].replace("{row}", number);
  }

  /** What a line tells at x: its own point, or the band's edges where rows were thinned. */
  function reading(line, x) {
    const [xs, ys, highs] = line.band ?? line.raw ?? [line.x, line.y];
    const at = nearest(xs, ys, x);
    if (at < 0) return null;
    const words = highs && highs[at] !== ys[at] ? `${show(ys[at])} to ${show(highs[at])}` : show(ys[at]);
    return { x: xs[at], words, from: place(line, at), band: Boolean(line.band) };
  }

  /** One colour for each data set: a dashed line is the second of a pair and shares it. */
  function colours(lines) {
    let held = 0;
    return lines.map((line) => {
      if (line.role !== "eval") return line.role === "train" ? "train" : "other";
      if (!line.dashed) held += 1;
      return held > 1 ? `eval${Math.min(held, 6)}` : "eval";
    });
  }

  function plot(box, panel, width) {
    const names = colours(panel.lines);
    const tables = [];
    const series = [{}];
    const bands = [];
    const parts = panel.lines.map(() => []);
    const add = (index, table, ...options) => {
      tables.push(table);
      for (const one of options) {
        parts[index].push(series.length);
        series.push({ spanGaps: false, ...one });
      }
    };
    panel.lines.forEach((line, index) => {
      const ink = colour(names[index]);
      if (line.band) {
        bands.push({ series: [series.length + 1, series.length], fill: `${ink}38` });
        add(index, line.band, { points: { show: false } }, { points: { show: false } });
      }
      if (line.raw) {
        const few = line.raw[0].length <= 400;
        add(index, line.raw, few
          ? { paths: () => null, points: { show: true, size: 4, width: 0, fill: `${ink}80` } }
          : { stroke: `${ink}59`, width: 1, points: { show: false } });
      }
      add(index, [line.x, line.y], {
        stroke: ink,
        width: 2,
        dash: line.dashed ? [6, 4] : undefined,
        points: line.marks
          ? line.role === "eval" ? { show: squares(ink) } : { show: true, size: 6, stroke: ink, fill: ink }
          : { show: false },
      });
    });
    const data = uPlot.join(tables, tables.map((table) => table.map(() => 1)));
    const full = [data[0][0], data[0][data[0].length - 1]];
    if (full[0] === full[1]) full[1] += 1;
    const must = panel.levels.map((level) => level.y);
    if (panel.from != null && !panel.log) must.push(panel.from);
    const whole = ({ series: [{ idxs }] }) => idxs == null || (idxs[0] <= 0 && idxs[1] >= data[0].length - 1);
    const counted = data[0].every(Number.isInteger); // steps have no halves

    function range(chart, low, high) {
      if (low == null) [low, high] = must.length ? [Math.min(...must), Math.max(...must)] : [0, 1];
      if (whole(chart)) for (const y of must) [low, high] = [Math.min(low, y), Math.max(high, y)];
      if (panel.log) return [low / 1.15, high * 1.15];
      const room = 0.06 * (high - low || Math.abs(high) || 1);
      const words = panel.levels.some((level) => level.label && level.y <= high && level.y > high - room); // above it
      return [low === panel.from ? low : low - room, high + (words ? 2 : 1) * room];
    }

    function levels(chart) {
      const { ctx, bbox } = chart;
      const ratio = uPlot.pxRatio;
      const right = bbox.left + bbox.width;
      ctx.save();
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      ctx.fillStyle = colour("soft");
      ctx.textAlign = "right";
      for (const level of panel.levels) {
        const y = chart.valToPos(level.y, "y", true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.strokeStyle = colour("soft");
        ctx.lineWidth = ratio;
        ctx.setLineDash([5 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(right, y);
        ctx.stroke();
        const above = y - bbox.top > 16 * ratio;
        ctx.textBaseline = above ? "bottom" : "top";
        const place = [level.label, right - 2 * ratio, y + (above ? -2 : 3) * ratio];
        ctx.setLineDash([]);
        ctx.strokeStyle = colour("ground"); // the words stay readable where a line runs through them
        ctx.lineWidth = 4 * ratio;
        ctx.strokeText(...place);
        ctx.fillText(...place);
      }
      ctx.restore();
    }

    const axis = { stroke: colour("soft"), font: "12px system-ui, sans-serif", grid: { stroke: colour("rule"), width: 1 },
                   ticks: { show: false }, values: (_, splits) => ticks(splits) };
    const chart = new uPlot(
      {
        width,
        height: 260,
        padding: [10, 12, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, dist: 5 }, points: { size: 7 } },
        focus: { prox: -1 },
        scales: { x: { time: false, range: (_, low, high) => [low ?? full[0], high === low ? low + 1 : high ?? full[1]] },
                  y: { distr: panel.log ? 3 : 1, range } },
        axes: [{ ...axis, label: panel.x, labelSize: 18, labelGap: 0,
                 labelFont: "12px system-ui, sans-serif", size: 26, gap: 4,
                 ...(counted ? { incrs: [1, 2, 5].flatMap((n) => Array.from({ length: 12 }, (_, i) => n * 10 ** i)).sort((a, b) => a - b) } : {}) },
               { ...axis, ...(panel.log ? { splits: (chart, _, low, high) => powers(low, high),
                   filter: (_, splits) => splits, values: (_, splits) => splits.map(show) } : {}),
                 size: (_, values) => 14 + 7 * Math.max(3, ...(values ?? []).map((v) => v.length)) }],
        series,
        bands,
        hooks: { draw: [levels] },
      },
      data,
      box,
    );
    return { chart, parts, full, names };
  }

  /** Held-out points: open squares, as the captions say. */
  function squares(ink) {
    return ({ ctx, data, valToPos }, index, from, to) => {
      const size = 7 * uPlot.pxRatio;
      ctx.save();
      ctx.strokeStyle = ink;
      ctx.fillStyle = colour("ground");
      ctx.lineWidth = 1.5 * uPlot.pxRatio;
      ctx.setLineDash([]);
      for (let at = from; at <= to; at++) {
        if (data[index][at] == null) continue;
        const square = [valToPos(data[0][at], "x", true) - size / 2, valToPos(data[index][at], "y", true) - size / 2, size, size];
        ctx.fillRect(...square);
        ctx.strokeRect(...square);
      }
      ctx.restore();
    };
  }

  function sample(line, name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 22 10");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", "M0 5H22");
    path.setAttribute("stroke", `var(--${name})`);
    path.setAttribute("stroke-width", "2.5");
    if (line.dashed) path.setAttribute("stroke-dasharray", "6 4");
    svg.append(path);
    if (line.role === "eval" && line.marks) {
      const square = document.createElementNS(svg.namespaceURI, "path");
      square.setAttribute("d", "M8 2h6v6h-6z");
      square.setAttribute("fill", "var(--ground)");
      square.setAttribute("stroke", `var(--${name})`);
      square.setAttribute("stroke-width", "1.5");
      svg.append(square);
    }
    return svg;
  }

  const hint = "Drag to zoom, double-click for all; point at the chart for values and their rows.";

  /** One panel: title, keys, plot and what is under the cursor. */
  function draw(home, panel, siblings) {
    const box = make("div", { class: "plot", tabindex: "0", role: "application",
      "aria-label": `Chart: ${panel.y} by ${panel.x.toLowerCase()}. Left and right arrow read the points, ` +
        "plus and minus zoom, zero shows all." });
    const keys = make("div", { class: "keys" });
    const readout = make("p", { class: "readout", "aria-live": "polite" },
      home.closest("figure") === document.querySelector("figure") && !siblings.length ? hint : "");
    home.append(make("h3", {}, panel.y), keys, box, readout);
    const { chart, parts, full, names } = plot(box, panel, Math.max(240, home.clientWidth));
    const me = { chart, quiet: false };
    siblings.push(me);

    function zoom(low, high) {
      const least = (full[1] - full[0]) / 1e5;
      if (!(high - low > least)) return;
      [low, high] = [Math.max(full[0], low), Math.min(full[1], high)];
      for (const one of siblings) one.chart.setScale("x", { min: low, max: high });
    }
    function scale(factor) {
      const { min, max } = chart.scales.x;
      const middle = (min + max) / 2;
      zoom(middle - (factor * (max - min)) / 2, middle + (factor * (max - min)) / 2);
    }
    const reset = () => zoom(full[0], full[1]);

    panel.lines.forEach((line, index) => {
      if (!line.label) return;
      const key = make("button", { type: "button", "aria-pressed": "true" }, sample(line, names[index]), line.label);
      key.addEventListener("click", () => {
        const on = key.getAttribute("aria-pressed") !== "true";
        key.setAttribute("aria-pressed", String(on));
        for (const part of parts[index]) chart.setSeries(part, { show: on });
      });
      keys.append(key);
    });
    const buttons = make("span", { class: "zoom", role: "group", "aria-label": "Zoom" });
    for (const [text, label, act] of [["+", "Zoom in", () => scale(0.5)], ["−", "Zoom out", () => scale(2)],
                                      ["all", "Show all", reset]]) {
      const button = make("button", { type: "button", "aria-label": label, title: label }, text);
      button.addEventListener("click", act);
      buttons.append(button);
    }
    keys.append(buttons);

    function tell(x) {
      const told = panel.lines.map((line) => [line, reading(line, x)]).filter(([, found]) => found);
      const near = (full[1] - full[0]) / 25;
      const shown = told.filter(([, found]) => Math.abs(found.x - x) <= near);
      if (!shown.length) return;
      readout.replaceChildren(make("b", {}, `${panel.x} ${show(shown[0][1].x)}`));
      for (const [line, found] of shown) {
        const at = found.x === shown[0][1].x ? "" : ` (at ${show(found.x)})`;
        readout.append(make("br"), `${line.label || panel.y}${at}: `, make("b", {}, found.words),
          found.from ? ` · ${found.from}${found.band ? " and on" : ""}` : "");
      }
    }
    chart.over.addEventListener("mousemove", () => {
      if (chart.cursor.left >= 0) tell(chart.posToVal(chart.cursor.left, "x"));
    });
    chart.over.addEventListener("mouseup", () => requestAnimationFrame(() => {
      const { min, max } = chart.scales.x;
      for (const one of siblings) if (one !== me) one.chart.setScale("x", { min, max });
    }));
    chart.over.addEventListener("dblclick", reset);

    let at = null;
    box.addEventListener("keydown", (event) => {
      const steps = chart.data[0];
      const act = { "+": () => scale(0.5), "=": () => scale(0.5), "-": () => scale(2), 0: reset }[event.key];
      if (act) act();
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const [first, last] = chart.series[0].idxs;
        at = at == null ? first : Math.min(last, Math.max(first, at + (event.key === "ArrowRight" ? 1 : -1)));
        chart.setCursor({ left: chart.valToPos(steps[at], "x"), top: 0 });
        tell(steps[at]);
      } else return;
      event.preventDefault();
    });
    new ResizeObserver(() => {
      const width = Math.max(240, home.clientWidth);
      if (width !== chart.width) chart.setSize({ width, height: 260 });
    }).observe(home);
  }

  function drawAll() {
    for (const home of document.querySelectorAll(".chart")) {
      const figure = figures[Number(home.dataset.figure)];
      const panels = make("div", { class: "panels" });
      home.replaceChildren(panels);
      const homes = figure.panels.map(() => make("div", { class: "panel" }));
      panels.append(...homes); // all of them before any is measured
      const siblings = [];
      figure.panels.forEach((panel, index) => draw(homes[index], panel, siblings));
    }
  }

  // ---------------------------------------------------------------------------------------------- numbers

  const tip = make("div", { id: "tip", role: "tooltip", hidden: "" });
  document.body.append(tip);

  function explain(number) {
    tip.textContent = number.dataset.about;
    tip.hidden = false;
    number.setAttribute("aria-describedby", "tip");
    const near = number.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const below = near.bottom + 6 + size.height < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(near.left, innerWidth - size.width - 8))}px`;
    tip.style.top = `${below ? near.bottom + 6 : Math.max(8, near.top - size.height - 6)}px`;
  }

  function hush() {
    tip.hidden = true;
    for (const number of document.querySelectorAll(".n[aria-describedby]")) number.removeAttribute("aria-describedby");
  }

  /** Every number can be pointed at; with the keyboard one stop a section, then the arrow keys. */
  function traceable() {
    for (const section of document.querySelectorAll("section")) {
      const all = [...section.querySelectorAll(".n")].filter((one) => one.closest("section") === section);
      all.forEach((one, index) => {
        one.dataset.about = one.title;
        one.removeAttribute("title");
        one.tabIndex = index ? -1 : 0;
        one.setAttribute("role", "button");
      });
      section.addEventListener("keydown", (event) => {
        const at = all.indexOf(document.activeElement);
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (at < 0 || !step) return;
        const visible = (one) => one.checkVisibility();
        let to = at + step;
        while (all[to] && !visible(all[to])) to += step;
        if (!all[to]) return;
        all[at].tabIndex = -1;
        all[to].tabIndex = 0;
        all[to].focus();
        event.preventDefault();
      });
    }
    const about = (event) => event.target instanceof Element && event.target.closest(".n");
    for (const [show, hide] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
      document.addEventListener(show, (event) => about(event) && explain(about(event)));
      document.addEventListener(hide, (event) => {
        const left = about(event);
        if (!left) return;
        hush();
        const focused = document.activeElement;
        if (focused !== left && focused.matches(".n")) explain(focused); // the mouse left, the keyboard is still there
      });
    }
    document.addEventListener("click", (event) => about(event) && explain(about(event)));
    document.addEventListener("keydown", (event) => event.key === "Escape" && hush());
    const follow = () => {
      const number = document.querySelector(".n[aria-describedby]");
      if (number) explain(number);
    };
    addEventListener("scroll", follow, { passive: true });
  }

  // ---------------------------------------------------------------------------------------------- the page

  function remembered(value) {
    try {
      if (value) localStorage.setItem("dpo-report-theme", value);
      return localStorage.getItem("dpo-report-theme");
    } catch {
      return null; // no storage for pages from the disk
    }
  }

  function themes() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
    if (remembered()) root.dataset.theme = remembered();
    const button = document.getElementById("theme");
    const name = () => (button.textContent = now() === "dark" ? "Light page" : "Dark page");
    button.addEventListener("click", () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      remembered(root.dataset.theme);
      name();
      drawAll();
    });
    dark.addEventListener("change", () => { name(); drawAll(); });
    name();
  }

  function folds() {
    const all = [...document.querySelectorAll("details")];
    const button = document.getElementById("unfold");
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      for (const one of all) one.open = open;
    });
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = all.filter((one) => !one.open && !one.matches(".quiet"));
      for (const one of closed) one.open = true;
    });
    addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
    const aim = () => {
      const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    };
    addEventListener("hashchange", aim);
    aim();
  }

  themes();
  folds();
  traceable();
  drawAll();
  document.querySelector(".tools").hidden = false;
})();
