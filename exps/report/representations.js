// What becomes of hidden layers' features of a task while others are learnt.
function representationPanel() {
  const asked = experiments.filter((e) => e.runs.some((r) => r.representations.length));
  if (!asked.length) return null;
  const depths = asked.map((e) => Math.max(...e.runs.map((r) => r.representations.length)));
  // By place, for names differ: "hidden layer 2: relu2, k_winners2". The highest one that all
  // experiments have says most about the head.
  const layers = range(Math.max(...depths)).map((l) => `hidden layer ${l + 1}: `
    + namesIn((r) => r.representations.slice(l, l + 1).map((one) => one.layer)).join(", "));
  let layer = Math.min(...depths) - 1, kind = 0;
  const name = () => layers[layer];
  const of = (r) => r.representations[layer];
  /** By row: the mean over the tasks learnt, or over all of them but the one just learnt. */
  const seen = (r, table, but = false) => (table ?? []).slice(1).map((row, t) =>
    mean(known(row.filter((_, j) => r.order.slice(0, t + 1).includes(j)
      && !(but && r.order[t] === j)))));
  const probe = (r) => seen(r, of(r)?.linear_probe_accuracy);
  const accuracy = (r) => (of(r) ? seen(r, r.accuracy) : []);
  const values = (list) => reach(curveRows(list, () => ""));
  const across = () => extent([...values(probe), ...values(accuracy)]);
  const curves = [
    curveFigure("Linear probe accuracy, mean over the tasks learnt", () => probe,
      (t) => `linear probe accuracy, ${name()}, after ${kRow} ${t}`, "linear probe accuracy",
      { chart: () => ({ across: across() }) }),
    curveFigure("Accuracy of the network, likewise", () => accuracy,
      (t) => `accuracy after ${kRow} ${t}`, "accuracy", { chart: () => ({ across: across() }) }),
    curveFigure("Representation drift, mean over earlier tasks", () =>
      (r) => seen(r, of(r)?.drift, true), (t) => `representation drift, ${name()}, after ${kRow} ${t}`,
    "1 − cosine", { chart: () => ({ zero: true, limits: [0, 2] }) })];

  const probes = experiments.map((e, i) => {
    if (!e.runs.some((r) => r.representations.length)) return null;
    const columns = e.tasks.map((_, t) => t + 1);
    const rows = [0, ...e.runs[0].order.map((_, t) => t + 1)];
    const at = (t, j) => over(e, (r) => of(r)?.linear_probe_accuracy[t]?.[j - 1] ?? null);
    const cells = () => rows.flatMap((t) => columns.map((j) => {
      const s = at(t, j);
      return { row: t, column: j, v: s.mean, tip: `${t ? `after ${kRow} ${t}` : "before training"}, `
        + `${e.tasks[j - 1]}\nlinear probe accuracy ${withHalf(s)} (n = ${s.n})` };
    })).filter((c) => c.v !== null);
    return figure(`Linear probe accuracy, ${e.label}`, (w) => heatMap(cells(), w,
      { rows, columns, x: "probe of task, %", y: `after ${kRow}` }),
    () => ({ head: ["after", ...e.tasks], rows: rows.map((t) =>
      [t ? `${kRow} ${t}` : "nothing", ...columns.map((j) => withHalf(at(t, j)))]) }), { of: i });
  });
  const kinds = ["overlap_final", "active_overlap_final"];
  const overlaps = experiments.map((e, i) => (e.runs.some((r) => r.representations.length)
    ? overlapFigure(e, i, `Representation overlap, ${e.label}`, (r) => of(r)?.[kinds[kind]])
    : null));

  const box = panel("Representations", "Can classes still be read from a layer's features? Where "
    + "linear probe accuracy stays while accuracy falls, the head forgets and not the features. "
    + "Row 0 is the untrained network. Drift: how far the features of an earlier task have turned "
    + "since it was learnt. Overlap, at the end: cosine of the tasks' mean absolute activities, or "
    + "Jaccard index of the features that are active on more than a tenth of the examples.",
  [curves, [...probes, ...overlaps].filter((f) => f)]);
  box.querySelectorAll(".charts")[1].classList.add("small");
  const first = box.querySelector(".charts");
  first.before(chooser("Overlap of", ["mean activities", "active features"], (k) => {
    kind = k;
    redraw();
  }));
  if (layers.length > 1) {
    first.before(chooser("Layer", layers, (l) => {
      layer = l;
      redraw();
    }));
    first.previousSibling.querySelector("select").value = layer;
  }
  return box;
}
