// What it costs: time, memory, and accuracy per unit of compute.

/** Points of final accuracy for a million million multiply-adds executed in training. */
function yieldOf(run) {
  const accuracy = metricOf(run, "average_accuracy"), macs = run.train_macs.executed;
  return isNumber(accuracy) && macs > 0 ? 100 * accuracy / (macs / 1e12) : null;
}
const kCosts = [
  ["Training time, seconds", secondsOf, "s"],
  ["Peak memory of the process, bytes", memoryOf, "B"],
  [`Points of final ${kMeasured} per 10¹² multiply-adds`, yieldOf, ""]];

function costFigure(caption, of, unit) {
  const a = (e) => over(e, of), b = (e) => over(e, (r) => metricOf(r, "average_accuracy"));
  const groups = () => visible().map((i) => ({ e: i, a: a(experiments[i]), b: b(experiments[i]) }))
    .map((g) => ({ ...g,
      tip: `${experiments[g.e].label}\n${withHalf(g.b)}\n${short(g.a.mean)} ${unit}` }));
  return figure(caption, (w) => scatter(groups(), w, { x: unit, y: `final ${kMeasured}` }),
    () => ({ head: ["experiment", unit, `final ${kMeasured}`], rows: groups().map((g) =>
      [experiments[g.e].label, withHalf(g.a, short), withHalf(g.b)]) }));
}

/** Mean accuracy on the tasks seen, against the multiply-adds executed up to there. */
function earnedFigure() {
  const spent = (run, t) => sum(run.epochs.filter((o) => o.experience < t)
    .map((o) => o.macs.executed));
  const what = (t) => `after ${kRow} ${t + 1}: mean ${kMeasured} on the tasks seen`;
  const rows = () => visible().flatMap((i) => {
    const e = experiments[i];
    return range(e.runs[0].order.length).map((t) => point(i, over(e, (r) => spent(r, t + 1)).mean,
      over(e, (r) => r.average_accuracy_curve[t]), what(t))).filter((p) => p.y !== null);
  });
  return figure(`Mean ${kMeasured} on the tasks seen, against multiply-adds spent so far`,
    (w) => lineChart(rows(), w, { x: "multiply-adds executed", y: kMeasured, whole: false }),
    () => asTable(rows().map((r) => ({ ...r, x: short(r.x) })), "multiply-adds", kMeasured));
}

function costPanel() {
  const exists = ([, of]) => experiments.some((e) => e.runs.some((r) => of(r) !== null));
  const list = kCosts.filter(exists)
    .map(([title, of, unit]) => seedFigure(title, of,
      { show: (v) => `${short(v)}${/[a-zA-Z]$/.test(short(v)) ? "" : " "}${unit}`.trim(),
        ticks: magnitudeTicks, zero: true }));
  return panel("Cost", "Measured on the machines named under provenance; bars are "
    + "95 % t intervals. Peak memory is that of the process, which may have run others before.", [
    list, [costFigure(`Final ${kMeasured} against compute`, (r) => r.train_macs.executed,
      "multiply-adds executed in training"),
    costFigure(`Final ${kMeasured} against time`, secondsOf, "seconds of training"), earnedFigure()]]);
}
