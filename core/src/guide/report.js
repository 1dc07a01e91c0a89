// Zoom for the plots over time, and misses that can be asked why. The page is whole without it.
// Drag over a stretch, or + - arrows 0 on the keyboard, or Ctrl and the wheel; plots over the same
// axis move together. #zoom=1.5-2 at the end of the address begins with those seconds.
(() => {
  "use strict";
  const views = {}; // axis -> [from, to], or nothing: all of it

  const points = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), found = [];
    for (let i = 0; i < bytes.length; i += 4) {
      const x = bytes[i] + 256 * bytes[i + 1], y = bytes[i + 2] + 256 * bytes[i + 3];
      const share = (2 ** (y / 3000) - 1) / 1000;
      found.push([x / 65.535, y === 65535 ? NaN : 1000 * (1 - Math.min(share, 1))]);
    }
    return found;
  };

  const plots = [...document.querySelectorAll("figure.plot[data-x]")].map((figure) => {
    const [low, high] = figure.dataset.x.split(" ").map(Number);
    const area = figure.querySelector(".area"), svg = area.querySelector("svg");
    const dense = [...svg.querySelectorAll("path[data-p]")].map((path) => ({
      path, whole: path.getAttribute("d"), points: points(path.dataset.p),
    }));
    const labels = [...area.querySelectorAll("span.x")];
    return { figure, area, svg, low, high, dense, labels, axis: figure.dataset.axis };
  });

  const steps = (low, high, about) => {
    const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i++) found.push(i * step);
    return found;
  };

  // Each column of pixels from its lowest to its highest point; few points one by one.
  const trace = (all, a, b, columns) => {
    const inside = all.filter(([x, y]) => x >= a && x <= b && y === y), ends = new Map();
    if (inside.length < 2 * columns) return [inside.map(([x, y]) => `M${x} ${y}h0`).join(""), true];
    for (const [x, y] of inside) {
      const column = Math.floor(((x - a) / (b - a)) * columns), [top, end] = ends.get(column) || [y, y];
      ends.set(column, [Math.min(top, y), Math.max(end, y)]);
    }
    const at = (column) => a + ((column + 0.5) * (b - a)) / columns;
    return [[...ends].map(([c, [y, z]]) => `M${at(c)} ${y}V${z + 0.5}`).join(""), false];
  };

  const draw = (plot) => {
    const view = views[plot.axis], width = plot.high - plot.low;
    const [from, to] = view || [plot.low, plot.high];
    const a = (1000 * (from - plot.low)) / width, b = (1000 * (to - plot.low)) / width;
    plot.figure.classList.toggle("zoomed", !!view);
    plot.figure.dataset.zoom = view ? `${from} ${to}` : "";
    plot.svg.setAttribute("viewBox", `${a} 0 ${b - a} 1000`);
    for (const { path, whole, points } of plot.dense) {
      const [d, few] = view ? trace(points, a, b, Math.max(plot.area.clientWidth / 2, 100)) : [whole, false];
      path.setAttribute("d", d);
      path.classList.toggle("dots", few);
      path.classList.toggle("columns", !few);
    }
    plot.labels.forEach((label) => label.remove());
    plot.labels = steps(from, to, plot.area.clientWidth < 400 ? 4 : 6).map((value) => {
      const label = document.createElement("span");
      label.className = "x";
      label.style.left = `${(100 * (value - from)) / (to - from)}%`;
      label.textContent = value.toLocaleString("en", { maximumSignificantDigits: 7 });
      plot.area.append(label);
      return label;
    });
    for (const flag of plot.area.querySelectorAll(".flag")) {
      const at = (flag.dataset.at - from) / (to - from);
      flag.style.left = `${100 * at}%`;
      flag.hidden = at < 0 || at > 1;
    }
  };

  const redraw = (axis) => plots.filter((plot) => plot.axis === axis).forEach(draw);

  const show = (plot, from, to) => {
    const all = plots.filter((other) => other.axis === plot.axis);
    const low = Math.min(...all.map((p) => p.low)), high = Math.max(...all.map((p) => p.high));
    const width = Math.max(to - from, (high - low) / 1e5);
    if (width >= high - low) delete views[plot.axis];
    else {
      const start = Math.min(Math.max(from, low), high - width);
      views[plot.axis] = [start, start + width];
    }
    redraw(plot.axis);
  };

  // Zooms by `factor` around a place, 0 to 1, and moves by a share of what is shown.
  const change = (plot, factor, around, move = 0) => {
    const [from, to] = views[plot.axis] || [plot.low, plot.high], width = to - from;
    const start = from + width * (around * (1 - factor) + move);
    show(plot, start, start + width * factor);
  };

  const ask = (plot, at) => {
    const [from, to] = views[plot.axis] || [plot.low, plot.high];
    const asked = plot.figure.closest(".asked"), far = (miss) => Math.abs(miss[0] - from - at * (to - from));
    const near = (asked ? JSON.parse(asked.dataset.misses) : []).sort((m, n) => far(m) - far(n))[0];
    if (!near || far(near) > (to - from) * 0.02) return;
    asked.querySelector(".answer").textContent = `At ${near[0].toFixed(3)} s, ${near[1]}.`;
  };

  for (const plot of plots) {
    const { area, figure } = plot;
    const place = (event) => {
      const box = area.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    };
    const keys = {
      "+": () => change(plot, 0.5, 0.5), "=": () => change(plot, 0.5, 0.5),
      "-": () => change(plot, 2, 0.5), 0: () => show(plot, -Infinity, Infinity),
      ArrowLeft: () => change(plot, 1, 0, -0.2), ArrowRight: () => change(plot, 1, 0, 0.2),
    };
    area.tabIndex = 0; // what has the focus gets the keys
    const take = (event, action) => (event.preventDefault(), action());
    area.addEventListener("keydown", (event) => {
      if (keys[event.key] && !event.ctrlKey && !event.metaKey) take(event, keys[event.key]);
    });
    area.addEventListener("wheel", (event) => { // with Ctrl: alone it scrolls the page
      if (event.ctrlKey) take(event, () => change(plot, 2 ** (event.deltaY / 300), place(event)));
    }, { passive: false });
    area.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("a")) return;
      const first = place(event), brush = document.createElement("i");
      brush.className = "brush";
      area.append(brush);
      area.setPointerCapture(event.pointerId);
      const ends = (moved) => [first, place(moved)].sort((a, b) => a - b);
      area.onpointermove = (moved) => {
        const [a, b] = ends(moved);
        Object.assign(brush.style, { left: `${100 * a}%`, width: `${100 * (b - a)}%` });
      };
      area.onpointerup = area.onpointercancel = (moved) => {
        area.onpointermove = area.onpointerup = area.onpointercancel = null;
        brush.remove();
        const [a, b] = ends(moved), [from, to] = views[plot.axis] || [plot.low, plot.high];
        if (moved.type === "pointercancel") return;
        if ((b - a) * area.clientWidth < 6) ask(plot, first);
        else show(plot, from + a * (to - from), from + b * (to - from));
      };
    });
    if (figure.querySelector(".legend").textContent) {
      const tools = document.createElement("span");
      tools.className = "tools";
      for (const [key, text, says] of [["-", "−", "zoom out"], ["+", "+", "zoom in"], ["0", "all", "show all"]]) {
        const button = document.createElement("button");
        Object.assign(button, { textContent: text, title: `${says} (${key})`, onclick: keys[key] });
        tools.append(button);
      }
      tools.title = "Drag over a stretch of the plot to zoom into it.";
      figure.querySelector(".legend").append(tools);
    }
  }
  for (const asked of document.querySelectorAll(".asked")) {
    const answer = document.createElement("p");
    answer.className = "why answer";
    answer.setAttribute("aria-live", "polite");
    answer.textContent = "Drag over a stretch to zoom in; click near a miss to ask why, on a letter for its flight record.";
    asked.append(answer);
  }

  const follow = () => {
    const zoom = /^#zoom=([\d.]+)-([\d.]+)$/.exec(location.hash);
    const main = plots.find((plot) => plot.axis === "seconds");
    if (zoom && main) show(main, +zoom[1], +zoom[2]);
    const flight = document.querySelector(".flight:target, :target .flight");
    if (flight) flight.closest("details").open = true;
  };
  addEventListener("hashchange", follow);
  addEventListener("resize", () => Object.keys(views).forEach(redraw));
  follow();
})();
