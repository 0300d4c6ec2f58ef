// How much of a network is active, which units are used, and whether tasks share them.
function sparsityPanel() {
  const having = experiments.map((e, i) => ({ e, i })).filter(({ e }) => e.runs.some((r) => r.layers.length));
  if (!having.length) return null;
  const active = () => visible().flatMap((i) => experiments[i].runs[0].layers.flatMap((layer, l) => experiments[i].tasks.map((_, t) =>
    ({ ...point(i, t + 1, over(experiments[i], (r) => r.layers[l]?.active_fraction_test[t] ?? null), `${layer.name}, task ${t + 1}`), line: i + ":" + l })))).filter((p) => p.y !== null);
  const list = [figure("Active fraction per task, one line per layer",
    (w) => lineChart(active(), w, { x: "task", y: "active units", group: "line", zero: true }), () => asTable(active(), "task", "active"))];
  const usage = () => visible().flatMap((i) => {
    const run = experiments[i].runs.find((r) => r.layers.some((l) => l.usage_final?.length));
    if (!run) return [];
    const tests = sum(experiments[i].test_sizes);
    return run.layers.filter((l) => l.usage_final?.length).flatMap((l, k) => {
      const all = l.usage_final[0].map((_, u) => sum(l.usage_final.map((row) => row[u])) / tests).sort((a, b) => b - a);
      const jump = Math.max(1, Math.floor(all.length / 100)), most = Math.max(all[0], 1);
      return all.map((v, u) => ({ e: i, line: i + ":" + k, x: (u + 1) / all.length * 100, y: v / most, lo: null, hi: null,
        tip: `${experiments[i].label}\n${l.name}: unit ${u + 1} of ${all.length}\nactive on ${percent(v / most)}` })).filter((_, u) => u % jump === 0);
    });
  });
  list.push(figure("Unit usage, sorted: on what share of test inputs a unit is active (first seed)",
    (w) => lineChart(usage(), w, { x: "units, % from most to least used", y: "test inputs", whole: false, dots: false, group: "line", zero: true }),
    () => asTable(usage(), "unit, %", "usage")));
  const macs = () => visible().map((e) => { const s = over(experiments[e], (r) => r.train_macs.executed / r.train_macs.dense);
    return { e, label: experiments[e].label, s, tip: `${experiments[e].label}\nexecuted ${short(over(experiments[e], (r) => r.train_macs.executed).mean)} of ${short(over(experiments[e], (r) => r.train_macs.dense).mean)}`, values: [] }; });
  list.push(figure("Multiply-adds executed, as a share of a dense network's", (w) => dotChart(macs(), w, { x: "share of dense" }),
    () => ({ head: ["experiment", "share"], rows: macs().map((g) => [g.label, withHalf(g.s)]) })));
  for (const { e, i } of having) e.runs[0].layers.forEach((layer, l) => {
    if (!layer.overlap_final || e.tasks.length < 2) return;
    const cells = () => layer.overlap_final.flatMap((row, a) => row.map((_, b) => { const s = over(e, (r) => r.layers[l]?.overlap_final?.[a]?.[b] ?? null);
      return { row: a + 1, column: b + 1, v: s.mean, tip: `${e.tasks[a]} and ${e.tasks[b]}\noverlap ${s.mean?.toFixed(3)}` }; }).filter((c) => c.v !== null));
    const tasks = e.tasks.map((_, t) => t + 1);
    list.push(figure(`Overlap of active units, ${e.label}, ${layer.name}`, (w) => !shown.has(i) ? null : heatMap(cells(), w, { rows: tasks, columns: tasks, x: "task (figures: overlap, %)", y: "task" }),
      () => ({ head: ["task", "task", "overlap"], rows: cells().map((c) => [c.row, c.column, c.v.toFixed(3)]) })));
  });
  return panel("Sparsity", "Overlap is the weighted Jaccard index of unit usage: 1 means the same units as often, 0 means disjoint.", list, true);
}
