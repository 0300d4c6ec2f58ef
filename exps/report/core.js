// What all panels share: the data, which experiments are shown, small tools for text and numbers.
const data = JSON.parse(document.getElementById("engram-data").textContent);
const experiments = data.experiments;
const shown = new Set(experiments.map((_, i) => i));
const visible = () => [...shown].sort((a, b) => a - b);
const isDark = () => document.documentElement.dataset.theme === "dark";

// After Okabe and Ito, whose colours colour-blind people tell apart; dashes and shapes repeat it.
const kLight = ["#0072B2", "#D55E00", "#009E73", "#BF5F95", "#946B00", "#1F86C0", "#5B5B5B",
  "#7B3FA0"];
const kDark = ["#56B4E9", "#FF8A3D", "#2CC79A", "#E8A0C8", "#F0E442", "#9AD0F5", "#C8C8C8",
  "#C39BE0"];
const kDashes = [[1, 0], [8, 3], [2, 2], [9, 3, 2, 3]];
const kShapes = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down",
  "triangle-right", "triangle-left"];
const kGlyphs = ["●", "■", "◆", "▲", "✚", "▼", "▶", "◀"];
const colourOf = (i) => (isDark() ? kDark : kLight)[i % 8];
const dashOf = (i) => kDashes[(i + Math.floor(i / 8)) % 4];
const shapeAt = (i) => (i + Math.floor(i / 8)) % 8;

/** An element; text is always set as text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** What the matrices hold: scores of agents, of which 0 is random and 1 the expert, or accuracies. */
const acting = experiments.filter((e) => e.runs.some((r) => r.returns));
const kMeasured = acting.length === experiments.length ? "score"
  : acting.length ? "accuracy or score" : "accuracy";
const kMeasuredTitle = kMeasured[0].toUpperCase() + kMeasured.slice(1);

const range = (n) => Array.from({ length: n }, (_, i) => i);
const isNumber = (v) => typeof v === "number" && Number.isFinite(v);
const known = (values) => values.filter(isNumber);
const sum = (values) => known(values).reduce((a, b) => a + b, 0);
const mean = (values) => (values.length ? sum(values) / values.length : null);
/** With two digits below one per cent; beside another number, with as many as that one has. */
const percent = (v, beside = v) =>
  (isNumber(v) ? (100 * v).toFixed(Math.abs(beside) < 0.01 ? 2 : 1) + " %" : "–");

/** Fractions as points: 0.0123 as "1.2", with two digits below one. */
const points = (v) => (100 * v).toFixed(Math.abs(v) < 0.0095 ? 2 : 1);

/** 1.234e9 as "1.23 G". */
function short(v) {
  if (!isNumber(v)) return "–";
  for (const [size, unit] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(v) >= 0.9995 * size) return (v / size).toPrecision(3) + " " + unit;
  return String(Number(v.toPrecision(3)));
}

/** n, mean and the half width of the 95 % t interval; half is null below two values. */
function summarise(values) {
  const v = known(values), m = mean(v);
  if (v.length < 2) return { n: v.length, mean: m, half: null };
  if (v.every((x) => x === v[0])) return { n: v.length, mean: v[0], half: 0 };
  const variance = sum(v.map((x) => (x - m) ** 2)) / (v.length - 1);
  return { n: v.length, mean: m, half: data.student_t[v.length - 1] * Math.sqrt(variance / v.length) };
}
function withHalf(s, show = percent) {
  if (s.mean === null) return "–";
  if (s.half === null) return show(s.mean);
  return `${show(s.mean).replace(" %", "")} ± ${show(s.half, s.mean)}`;
}
const metricOf = (run, name) => run.metrics[name] ?? null;
const over = (e, of) => summarise(e.runs.map(of));

/** Provenance says "118.3 MB"; in bytes, or null. */
function memoryOf(run) {
  const [, figure, unit] = /^([\d.]+) ([kMGTP]?)B$/.exec(run.provenance.peak_rss ?? "") ?? [];
  return figure ? Number(figure) * 1000 ** " kMGTP".indexOf(unit || " ") : null;
}
const secondsOf = (run) => (run.task_seconds.length ? sum(run.task_seconds) : null);
const shareOf = (run) => run.train_macs.executed / run.train_macs.dense;
/** Share of a run's hidden units active in its last test, or null without hidden layers. */
function activeOf(run) {
  const of = run.layers.filter((l) => known(l.active_fraction_test).length);
  const units = sum(of.map((l) => l.units));
  return units ? sum(of.map((l) => l.units * mean(known(l.active_fraction_test)))) / units : null;
}

/** A choice of one of some texts; onchange(index). */
function chooser(title, texts, onchange) {
  const list = el("select", { onchange: () => onchange(Number(list.value)) },
    ...texts.map((text, i) => el("option", { value: i }, text)));
  return el("label", { class: "choice" }, title + " ", list);
}

/** A table, if wanted sorted by the buttons in its head. Cells: text, or {text, value, mark}. */
function makeTable(head, rows, { words = false, sortable = false, caption = "", label } = {}) {
  const body = el("tbody");
  const isRich = (c) => c !== null && typeof c === "object";
  const cell = (c, i) => el(i ? "td" : "th", i ? {} : { scope: "row" },
    ...(isRich(c) && c.mark ? [c.mark, " "] : []), String((isRich(c) ? c.text : c) ?? "–"));
  const fill = (list) => body.replaceChildren(...list.map((row) => el("tr", {}, ...row.map(cell))));
  fill(rows);
  const order = { column: -1, sign: 1 };
  function sortBy(column) {
    order.sign = order.column === column ? -order.sign : column ? -1 : 1;
    order.column = column;
    const key = (row) => (isRich(row[column]) ? row[column].value : row[column]);
    fill([...rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null);
      return order.sign * (x < y ? -1 : x > y ? 1 : 0);
    }));
    titles.forEach((t, k) => t.setAttribute("aria-sort",
      k !== column ? "none" : order.sign > 0 ? "ascending" : "descending"));
  }
  const titles = head.map((title, i) => {
    const text = title.text ?? title;
    return el("th", { scope: "col", title: title.help },
      sortable ? el("button", { type: "button", onclick: () => sortBy(i) }, text) : text);
  });
  const table = el("table", words ? { class: "words" } : {},
    ...(caption ? [el("caption", {}, caption)] : []),
    el("thead", {}, el("tr", {}, ...titles)), body);
  return el("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-label": label || caption || "table" }, table);
}

/** Closed until asked for, so that long tables cost nothing before. */
function later(title, make) {
  const box = el("details", {}, el("summary", {}, title));
  box.fill = () => { if (box.children.length === 1) box.append(make()); };
  box.addEventListener("toggle", () => { if (box.open) box.fill(); });
  return box;
}
