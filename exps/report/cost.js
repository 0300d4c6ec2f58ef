// What it costs: time, memory, and accuracy per unit of compute.
function costPanel() {
  const dots = (title, of, show, unit) => {
    const groups = () => visible().map((e) => { const s = over(experiments[e], of);
      return { e, label: experiments[e].label, s, tip: `${experiments[e].label}\n${withHalf(s, show)} ${unit}`, values: experiments[e].runs.filter((r) => of(r) !== null).map((r) => ({ v: of(r), tip: `seed ${r.seed}: ${show(of(r))} ${unit}` })) }; });
    return figure(title, (w) => dotChart(groups(), w, { x: title, show: "~s" }), () => ({ head: ["experiment", title], rows: groups().map((g) => [g.label, withHalf(g.s, short)]) }));
  };
  const list = [dots("Training time, seconds", (r) => sum(r.task_seconds), short, "s")];
  if (experiments.some((e) => e.runs.some((r) => memoryOf(r) !== null))) list.push(dots("Peak memory, bytes", memoryOf, short, "B"));
  const rows = () => visible().map((e) => { const a = over(experiments[e], (r) => metricOf(r, "average_accuracy")), c = over(experiments[e], (r) => r.train_macs.executed);
    return { ...point(e, c.mean, a, `${short(c.mean)} multiply-adds`) }; }).filter((r) => r.y !== null && r.x !== null);
  list.push(figure("Final accuracy against multiply-adds executed in training", (w) => lineChart(rows(), w, { x: "multiply-adds", y: "ACC", whole: false }), () => asTable(rows(), "multiply-adds", "ACC")));
  return panel("Cost", "Measured on the machines named under provenance.", list);
}
