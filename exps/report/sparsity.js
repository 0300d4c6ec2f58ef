// How much of a network is active, which units are used, and whether tasks share them.

/** On what share of the test inputs (times places) of all tasks each unit was active. */
function usageOf(e, layer) {
  const counts = layer.usage_final[0].map((_, u) => sum(layer.usage_final.map((row) => row[u])));
  // Active fractions give away how many places of an image a count is over.
  const inputs = sum(layer.active_fraction_test.map((f, t) => f * e.test_sizes[t])) * layer.units;
  const places = inputs > 0 ? Math.max(1, Math.round(sum(counts) / inputs)) : 1;
  return counts.map((c) => c / (sum(e.test_sizes) * places));
}

function usageRows(l) {
  return visible().flatMap((i) => {
    const e = experiments[i];
    const all = e.runs.filter((r) => r.layers[l]?.usage_final?.length)
      .map((r) => usageOf(e, r.layers[l]).sort((a, b) => b - a));
    if (!all.length) return [];
    const units = all[0].length, most = 120;  // points of a curve
    const ranks = units <= most ? range(units)
      : range(most).map((k) => Math.round(k * (units - 1) / (most - 1)));
    return ranks.map((u) => point(i, 100 * (u + 1) / units, summarise(all.map((list) => list[u])),
      `${e.runs[0].layers[l]?.name}, unit ${u + 1} of ${units} by usage: active on`));
  });
}

function layerFigures(layerOf, name) {
  const active = () => curveRows((r) => r.layers[layerOf()]?.active_fraction_test ?? [],
    (t) => `active units, test of task ${t}`);
  const usage = () => usageRows(layerOf());
  return [
    figure(`Active units by task, ${name}`, (w) => lineChart(active(), w,
      { x: "tested task", y: "active units", zero: true }),
    () => asTable(active(), "task", "active")),
    figure(`Unit usage, sorted, ${name}`, (w) => lineChart(usage(), w,
      { x: "units from most to least used, %", y: "active on test inputs", whole: false,
        dots: false, zero: true }),
    () => asTable(usage(), "units, %", "usage"))];
}

/** What any two tasks of an experiment have in common; tableOf(run) [task][task], or nothing. */
function overlapFigure(e, i, caption, tableOf) {
  if (e.tasks.length < 2) return null;
  const tasks = e.tasks.map((_, t) => t + 1);
  const at = (a, b) => over(e, (r) => tableOf(r)?.[a - 1]?.[b - 1] ?? null);
  const plain = (v) => v.toFixed(3);
  const cells = () => tasks.flatMap((a) => tasks.map((b) => {
    const s = at(a, b);
    return { row: a, column: b, v: s.mean,
      tip: `${e.tasks[a - 1]} and ${e.tasks[b - 1]}\noverlap ${withHalf(s, plain)}` };
  })).filter((c) => c.v !== null);
  return figure(caption, (w) => heatMap(cells(), w,
    { rows: tasks, columns: tasks, x: "task (figures: overlap, %)", y: "task" }),
  () => ({ head: ["task", ...e.tasks],
    rows: tasks.map((a) => [e.tasks[a - 1], ...tasks.map((b) => withHalf(at(a, b), plain))]) }),
  { of: i });
}

function overlapFigures(layerOf, name) {
  return experiments.map((e, i) => (e.runs.some((r) => r.layers.some((l) => l.overlap_final))
    ? overlapFigure(e, i, `Overlap, ${e.label}, ${name}`,
      (r) => r.layers[layerOf()]?.overlap_final) : null)).filter((f) => f);
}

function workFigure() {
  const groups = () => visible().map((i) => {
    const e = experiments[i];
    const part = over(e, (r) => r.train_macs.executed), whole = over(e, (r) => r.train_macs.dense);
    return { e: i, label: e.label, part: part.mean, whole: whole.mean, share: over(e, shareOf),
      tip: `${e.label}\nexecuted ${short(part.mean)} of ${short(whole.mean)}\n`
        + percent(over(e, shareOf).mean) };
  });
  return figure("Multiply-adds in training: executed (filled) of those of dense layers (outline)",
    (w) => shareChart(groups(), w, { x: "multiply-adds" }),
    () => ({ head: ["experiment", "executed", "as dense layers", "share"], rows: groups()
      .map((g) => [g.label, short(g.part), short(g.whole), withHalf(g.share)]) }));
}

function sparsityPanel() {
  const layers = Math.max(0, ...experiments.flatMap((e) => e.runs.map((r) => r.layers.length)));
  if (!layers) return panel("Sparsity", "No hidden layer was recorded.", [workFigure()]);
  // Few layers side by side; of many, one that can be chosen.
  const few = layers <= 4;
  let chosen = 0;
  const parts = few ? range(layers).map((l) => [() => l, layers > 1 ? `hidden layer ${l + 1}`
    : "hidden layer"]) : [[() => chosen, "chosen layer"]];
  const box = panel("Sparsity", ["Overlap is the weighted Jaccard index of the usage of units by "
    + "two tasks: 100 % means the same units as often, 0 % none in common. ", gradient()],
  [[...parts.flatMap((p) => layerFigures(...p)), workFigure()],
    parts.flatMap((p) => overlapFigures(...p))], true);
  if (!few)
    box.querySelector(".charts").before(chooser("Hidden layer", range(layers).map((l) =>
      `${l + 1}: ${experiments.map((e) => e.runs[0].layers[l]?.name).find((n) => n)}`), (l) => {
      chosen = l;
      redraw();
    }));
  return box;
}
