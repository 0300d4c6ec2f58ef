// Rules that carry errors down another way than the weights, and the units that tasks may use.
const degrees = (v) => (isNumber(v) ? `${v.toFixed(1)}°` : "–");

/** Names that occur in any run, in the order in which they come. */
const namesIn = (listOf) => [...new Set(experiments.flatMap((e) => e.runs.flatMap(listOf)))];

function alignmentRows(field, layer, what, show) {
  return visible().flatMap((e) => {
    const lists = experiments[e].runs.map((r) => r.alignment.filter((a) => a.layer === layer));
    return range(Math.max(0, ...lists.map((list) => list.length))).map((k) => {
      const s = summarise(lists.map((list) => list[k]?.[field] ?? null));
      return { ...point(e, k + 1, s, what),
        tip: `${experiments[e].label}\n${what}, epoch ${k + 1}\n${withHalf(s, show)} (n = ${s.n})` };
    });
  }).filter((p) => p.y !== null);
}

function alignmentPanel() {
  const layers = namesIn((r) => r.alignment.map((a) => a.layer));
  if (!layers.length) return null;
  // The top layer's own update is exact whatever the rule, so the one below says more.
  const first = Math.max(0, layers.length - 2);
  let layer = layers[first];
  const plain = (v) => (isNumber(v) ? v.toFixed(2) : "–");
  const one = (caption, field, y, show) => {
    const rows = () => alignmentRows(field, layer, `${y}, ${layer}`, show);
    return figure(caption, (w) => lineChart(rows(), w, { x: "epochs of the whole run", y,
      ticks: { tickCount: 5 } }),
    () => ({ head: ["experiment", "epoch", y, "low", "high"], rows: rows().map((r) =>
      [experiments[r.e].label, r.x, show(r.y), show(r.lo), show(r.hi)]) }));
  };
  const list = [
    one("Update of the rule against back-propagation's", "update_angle", "angle, degrees", degrees),
    one("Feedback against weights", "feedback_angle", "angle, degrees", degrees),
    one("Norm of feedback over that of weights", "norm_ratio", "ratio", plain)];
  const box = panel("How errors come down", "For rules with feedback of their own, after every "
    + "epoch. An update closer than 90° to back-propagation's lowers the loss; feedback that turns "
    + "towards the weights is alignment.", list);
  box.querySelector(".charts").before(chooser("Layer", layers, (l) => {
    layer = layers[l];
    redraw();
  }));
  box.querySelector("select").value = first;
  return box;
}

function gatePanel() {
  const layers = namesIn((r) => r.gates.map((g) => g.layer));
  if (!layers.length) return null;
  let layer = layers[0];
  const gate = (r) => r.gates.find((g) => g.layer === layer);
  const last = (table) => (table ? table[table.length - 1] : []);
  const byTask = (caption, of, y) => {
    const rows = () => curveRows(of, (t) => `${y}, ${layer}, task ${t}`);
    return figure(caption, (w) => lineChart(rows(), w, { x: "task", y, zero: true }),
      () => asTable(rows(), "task", y));
  };
  const overlaps = experiments.map((e, i) => (e.runs.some((r) => r.gates.length)
    ? overlapFigure(e, i, `Units in common, ${e.label}`, (r) => gate(r)?.overlap) : null));
  const box = panel("Gates", ["Which units the tasks may use, at the end. Overlap is the "
    + "intersection of two tasks' units over their union. ", gradient()], [
    [byTask("Units that a task may use", (r) => last(gate(r)?.density), "open units"),
      byTask("Still those with which the task was learnt", (r) => last(gate(r)?.kept),
        "overlap with then")],
    overlaps.filter((f) => f)], true);
  if (layers.length > 1)
    box.querySelector(".charts").before(chooser("Layer", layers, (l) => {
      layer = layers[l];
      redraw();
    }));
  return box;
}
