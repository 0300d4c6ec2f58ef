// What it costs: time, memory, and accuracy per unit of compute.
const kCosts = [
  ["Training time, seconds", secondsOf, "s"],
  ["Peak memory of the process, bytes", memoryOf, "B"]];

function costFigure(caption, of, unit) {
  const a = (e) => over(e, of), b = (e) => over(e, (r) => metricOf(r, "average_accuracy"));
  const groups = () => visible().map((i) => ({ e: i, a: a(experiments[i]), b: b(experiments[i]) }))
    .map((g) => ({ ...g, tip: `${experiments[g.e].label}\n${withHalf(g.b)}\n${short(g.a.mean)} ${unit}` }));
  return figure(caption, (w) => scatter(groups(), w, { x: unit, y: "final accuracy" }),
    () => ({ head: ["experiment", unit, "final accuracy", `points per 10¹² multiply-adds`],
      rows: groups().map((g) => [experiments[g.e].label, short(g.a.mean), withHalf(g.b),
        short(over(experiments[g.e], (r) => 100 * metricOf(r, "average_accuracy")
          / (r.train_macs.executed / 1e12)).mean)]) }));
}

/** Mean accuracy on the tasks seen, against the multiply-adds executed up to there. */
function earnedFigure() {
  const spent = (run, t) => sum(run.epochs.filter((o) => o.experience < t)
    .map((o) => o.macs.executed));
  const rows = () => visible().flatMap((i) => {
    const e = experiments[i];
    return range(e.tasks.length).map((t) => ({
      ...point(i, over(e, (r) => spent(r, t + 1)).mean, over(e, (r) => r.average_accuracy_curve[t]),
        `after task ${t + 1}: mean accuracy on the tasks seen`) })).filter((p) => p.y !== null);
  });
  return figure("Accuracy on the tasks seen, against multiply-adds spent so far",
    (w) => lineChart(rows(), w, { x: "multiply-adds executed", y: "accuracy", whole: false }),
    () => asTable(rows().map((r) => ({ ...r, x: short(r.x) })), "multiply-adds", "accuracy"));
}

function costPanel() {
  const list = kCosts.filter(([, of]) => experiments.some((e) => e.runs.some((r) => of(r) !== null)))
    .map(([title, of, unit]) => seedFigure(title, of,
      { show: (v) => `${short(v)}${/[a-zA-Z]$/.test(short(v)) ? "" : " "}${unit}`,
        ticks: magnitudeTicks, zero: true }));
  return panel("Cost", "Measured on the machines named under provenance; crosses are 95 % t intervals.", [
    ...list,
    costFigure("Final accuracy against compute", (r) => r.train_macs.executed,
      "multiply-adds executed in training"),
    costFigure("Final accuracy against time", secondsOf, "seconds of training"), earnedFigure()]);
}
