// Goodness of forward-forward networks, and what else rules measure.
const decimal = (v) => (isNumber(v) ? String(Number(v.toPrecision(3))) : "–");

/** A measure by epochs, the mean over the seeds; none where no run has it. */
function measureRows(name, what) {
  return visible().flatMap((e) => {
    const lists = experiments[e].runs.map((r) => {
      const at = r.measures.names.indexOf(name);
      return at < 0 ? [] : r.measures.values.map((row) => row[at] ?? null);
    });
    return range(Math.max(...lists.map((list) => list.length))).map((k) => {
      const s = summarise(lists.map((list) => list[k] ?? null));
      return { ...point(e, k + 1, s, what),
        tip: `${experiments[e].label}\n${what}, epoch ${k + 1}\n${withHalf(s, decimal)} (n = ${s.n})` };
    });
  }).filter((p) => p.y !== null);
}

/** Between the epochs of two tasks, if all that is shown changes task at the same epochs. */
function epochBorders() {
  const of = (e) => {
    const list = experiments[e].runs[0].epochs.map((row) => row.experience);
    return range(list.length).slice(1).filter((k) => list[k] !== list[k - 1]).map((k) => k + 0.5);
  };
  const all = visible().filter((e) => experiments[e].runs[0].epochs.length).map(of);
  return new Set(all.map(String)).size === 1 ? all[0] : [];
}

function measureFigure(caption, rowsOf, y, { control = null, span = null } = {}) {
  return figure(caption, (w) => lineChart(rowsOf(), w, { x: "epochs of the whole run", y: y(),
    borders: epochBorders(), ticks: { tickCount: 5 }, ...(span ? { across: span() } : {}) }),
  () => ({ head: ["experiment", "epoch", y(), "low", "high"], rows: rowsOf().map((r) =>
    [experiments[r.e].label, r.x, decimal(r.y), decimal(r.lo), decimal(r.hi)]) }),
  { control });
}

function goodnessPanel() {
  const names = namesIn((r) => r.measures.names);
  if (!names.length) return null;
  const kinds = ["positive_goodness/", "negative_goodness/"];
  const kindOf = (name) => kinds.find((kind) => name.startsWith(kind));
  const levels = [...new Set(names.filter(kindOf).map((n) => n.slice(kindOf(n).length)))];
  const others = names.filter((n) => !kindOf(n));
  let level = levels[0], other = others[0];
  const list = [];
  if (levels.length) {
    const rows = (kind, what) => measureRows(kind + level, `${what}, level ${level}`);
    const span = () => extent(kinds.flatMap((kind) => rows(kind, ""))
      .flatMap((r) => [r.y, r.lo, r.hi]));
    const one = (caption, kind, what) =>
      measureFigure(caption, () => rows(kind, what), () => what, { span });
    list.push(one("Goodness of positives", kinds[0], "goodness of positives"),
      one("Goodness of negatives", kinds[1], "goodness of negatives"));
  }
  if (others.length) {
    const choice = chooser("Measure", others, (k) => {
      other = others[k];
      chart.figure.draw();
    });
    const chart = measureFigure(levels.length ? "What else the rule measures" : "Measures",
      () => measureRows(other, other), () => other, { control: choice });
    list.push(chart);
  }
  const means = "Means over every epoch; dotted lines part the tasks.";
  if (!levels.length) return panel("What the rule measures", means, list);
  const box = panel("Goodness", "Positives are what a level should find good, negatives what it "
    + "should not: the further apart, the better it tells them from each other. Both charts have "
    + `one scale. ${means}`, list);
  if (levels.length > 1)
    box.querySelector(".charts").before(chooser("Level", levels, (l) => {
      level = levels[l];
      redraw();
    }));
  return box;
}

/** For each class, how much better its true label fits than the others, after every task. */
function classGoodnessPanel() {
  const levels = namesIn((r) => r.goodness.map((g) => g.level));
  if (!levels.length) return null;
  let level = levels[0];
  const at = (run, kind, t, k) =>
    run.goodness.find((g) => g.level === level)?.[kind][t]?.[k] ?? null;
  const lead = (run, t, k) => {
    const own = at(run, "with_label", t, k), others = at(run, "with_others", t, k);
    return isNumber(own) && isNumber(others) ? own - others : null;
  };
  const cellsOf = (e) => {
    const tables = e.runs.flatMap((r) => r.goodness.filter((g) => g.level === level));
    const classes = Math.max(0, ...tables.flatMap((g) => g.with_label.map((row) => row.length)));
    return range(e.runs[0].order.length + 1).flatMap((t) => range(classes).map((k) => {
      const s = over(e, (r) => lead(r, t, k));
      const [own, others] = ["with_label", "with_others"].map((kind) =>
        over(e, (r) => at(r, kind, t, k)));
      return { row: t, column: k, v: s.mean, s, own, others,
        tip: `${t ? `after ${kRow} ${t}` : "before training"}, class ${k}\n`
          + `true label ${withHalf(own, decimal)}, others ${withHalf(others, decimal)}\n`
          + `difference ${withHalf(s, decimal)} (n = ${s.n})` };
    })).filter((c) => c.v !== null);
  };
  const distinct = (cells, key) => [...new Set(cells.map((c) => c[key]))].sort((a, b) => a - b);
  // One scale for all, so that experiments can be compared by eye.
  const span = () => extent(experiments.flatMap((e) => cellsOf(e).map((c) => c.v)),
    { zero: true, margin: 0 });
  const list = experiments.map((e, i) => (e.runs.some((r) => r.goodness.length)
    ? figure(e.label, (w) => {
      const cells = cellsOf(e), domain = span();
      const largest = Math.max(...domain.map(Math.abs));
      const digits = largest >= 100 ? 0 : largest >= 10 ? 1 : 2;
      return heatMap(cells, w, { rows: distinct(cells, "row"), columns: distinct(cells, "column"),
        x: "class (figures: difference)", y: `after ${kRow}`, domain,
        figures: `format(datum.v, '.${digits}f')` });
    }, () => ({ head: ["after task", "class", "with the true label", "with others", "difference"],
      rows: cellsOf(e).map((c) => [c.row, c.column,
        ...[c.own, c.others, c.s].map((s) => withHalf(s, decimal))]) }), { of: i }) : null));
  const box = panel("Drift of classes", ["Goodness of test examples with their true label minus "
    + "that with other labels, by class. Networks that answer the right label with much activity "
    + "(ff) should be far above zero, those that answer it with little (pff) far below; a class "
    + "that comes closer to zero downwards is being forgotten. Row 0 is before training. ",
  el("span", { class: "gradient" }, "least ", el("i"), " greatest")], list.filter((f) => f), true);
  if (levels.length > 1)
    box.querySelector(".charts").before(chooser("Level", levels, (l) => {
      level = levels[l];
      redraw();
    }));
  return box;
}
