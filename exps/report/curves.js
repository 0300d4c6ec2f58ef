// Curves over the tasks, each with its 95 % t interval over the seeds.
function point(e, x, s, what) {
  return { e, x, y: s.mean, lo: s.half === null ? null : s.mean - s.half,
    hi: s.half === null ? null : s.mean + s.half,
    tip: `${experiments[e].label}\n${what}\n${withHalf(s)} (n = ${s.n})` };
}
/** One point for each of a list of numbers that every run has; what(t, e) says what it is. */
function curveRows(of, what) {
  return visible().flatMap((e) => {
    const length = Math.max(...experiments[e].runs.map((r) => of(r).length));
    return range(length).map((t) =>
      point(e, t + 1, over(experiments[e], (r) => of(r)[t] ?? null), what(t + 1, e)));
  }).filter((p) => p.y !== null);
}
const asTable = (rows, x, y) => ({ head: ["experiment", x, y, "low", "high"],
  rows: rows.map((r) =>
    [experiments[r.e].label, r.x, percent(r.y), percent(r.lo), percent(r.hi)]) });

function curveFigure(caption, of, what, y, options = {}) {
  const rows = () => curveRows(of(), what);
  return figure(caption,
    (w) => lineChart(rows(), w, { x: comeBack ? "phases" : "tasks learnt", y, ...options.chart?.() }),
    () => asTable(rows(), comeBack ? "phases" : "tasks learnt", y), options);
}

/** Rows of a matrix are phases where tasks come back. */
const comeBack = experiments.some((e) => e.runs.some((r) => r.order.length > e.tasks.length));
const kRow = comeBack ? "phase" : "task";
const longest = Math.max(...experiments.map((e) => e.tasks.length));
const taskOf = (e, t) => `task ${t + 1}: ${experiments[e].tasks[t]}`;
/** A task by number, and by name where all experiments that have it agree on one. */
function taskName(t) {
  const names = new Set(experiments.filter((e) => e.tasks.length > t).map((e) => e.tasks[t]));
  return names.size === 1 ? `task ${t + 1}: ${[...names][0]}` : `task ${t + 1}`;
}
const accuracyOn = (t) => (r) => r.accuracy.slice(1).map((row) => row[t] ?? null);

function curvePanel() {
  let task = 0;
  const control = chooser("Task", range(longest).map(taskName), (t) => {
    task = t;
    one.figure.draw();
  });
  const one = curveFigure(`${kMeasuredTitle} on one task`, () => accuracyOn(task),
    (t, e) => `${kMeasured} on ${taskOf(e, task)}, after ${kRow} ${t}`, kMeasured, { control });
  return panel("Forgetting curves", "Means over the seeds; bands are 95 % t intervals.", [
    curveFigure(`Mean ${kMeasured} over the tasks seen`, () => (r) => r.average_accuracy_curve,
      (t) => `mean ${kMeasured} on the tasks seen, after ${kRow} ${t}`, kMeasured),
    curveFigure("Forgetting", () => (r) => r.forgetting_curve, (t) => `forgetting after ${kRow} ${t}`,
      "forgetting", { chart: () => ({ limits: [-1, 1] }) }),
    one]);
}

/** Small multiples with one span for all, so that tasks can be compared by eye. */
function taskPanel() {
  if (longest < 2) return null;
  const most = 12;
  const span = () => extent(reach(range(Math.min(longest, most)).flatMap((t) =>
    curveRows(accuracyOn(t), String))));
  const list = range(Math.min(longest, most)).map((t) => curveFigure(`Task ${taskName(t).slice(5)}`,
    () => accuracyOn(t), (at, e) => `${kMeasured} on ${taskOf(e, t)}, after ${kRow} ${at}`, kMeasured,
    { chart: () => ({ height: 170, across: span() }) }));
  return panel("Every task", `${kMeasuredTitle} on each task from before it is learnt to the end: a curve `
    + "that falls after its task is forgetting."
    + (longest > most ? ` The first ${most} tasks; the others can be chosen above.` : ""),
  list, true);
}

/** Groups for dotChart(): every seed's value and the interval of the mean. */
function seedGroups(of, show = percent) {
  return visible().map((i) => {
    const e = experiments[i], s = over(e, of);
    return { e: i, label: e.label, s, tip: `${e.label}\n${withHalf(s, show)} (n = ${s.n})`,
      values: e.runs.filter((r) => isNumber(of(r)))
        .map((r) => ({ v: of(r), tip: `${e.label}\nseed ${r.seed}: ${show(of(r))}` })) };
  });
}
function seedFigure(caption, of, { show = percent, ...chart } = {}) {
  const groups = () => seedGroups(of, show);
  return figure(caption, (w) => dotChart(groups(), w, { x: caption, ...chart }),
    () => ({ head: ["experiment", "mean", "single seeds"], rows: groups().map((g) =>
      [g.label, withHalf(g.s, show), g.values.map((d) => show(d.v)).join(", ") || "–"]) }));
}

function finalPanel() {
  return panel("At the end", "Small dots are single seeds; above them the mean and its 95 % t "
    + "interval.", [
    seedFigure(`Final ${kMeasured} (ACC)`, (r) => metricOf(r, "average_accuracy")),
    seedFigure("Forgetting at the end", (r) => metricOf(r, "forgetting"))]);
}
