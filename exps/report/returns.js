// Agents in simulations: how they learnt each regime, and what they return in all of them.
const kAlone = ["random", "expert"];  // agents that do not learn are lines of their own anyway

const regimesOf = () => namesIn((r) => (r.returns ? r.tasksOf : []));
/** Experiments may lack a regime, or have it at another place. */
for (const e of acting) for (const run of e.runs) run.tasksOf = e.tasks;
const placeOf = (e, regime) => e.tasks.indexOf(regime);

/** Points of the learning curve in a regime, from its beginning: {x, values of all seeds}. */
function learningRows(regime, of, what, show) {
  return visible().filter((i) => placeOf(experiments[i], regime) >= 0).flatMap((i) => {
    const at = new Map(), here = placeOf(experiments[i], regime);
    for (const run of experiments[i].runs) {
      const curve = (run.returns?.curve ?? []).filter((p) => p.experience === here);
      for (const p of curve) {
        const x = p.interactions - curve[0].interactions;
        at.set(x, [...(at.get(x) ?? []), of(p, run)]);
      }
    }
    return [...at].sort((a, b) => a[0] - b[0]).map(([x, values]) => {
      const s = summarise(values), p = point(i, x, s, "");
      p.tip = `${experiments[i].label}\n${what}, after ${short(x)} interactions\n`
        + `${withHalf(s, show)} (n = ${s.n})`;
      return p;
    }).filter((p) => p.y !== null);
  });
}

/** Returns of random choices and of the expert, if all that have the regime agree. */
function levelsOf(regime, of) {
  const all = acting.filter((e) => placeOf(e, regime) >= 0)
    .flatMap((e) => e.runs.filter((r) => r.returns).map((r) => of(r, placeOf(e, regime))));
  const first = all[0];
  return first && all.every((l) => Math.abs(l.random - first.random) < 1e-9
    && Math.abs(l.expert - first.expert) < 1e-9)
    ? kAlone.map((text) => ({ y: first[text], text })).filter((l) => isNumber(l.y)) : [];
}

/** The span of means and levels; bands over few seeds reach far beyond and may be cut off. */
function spanOf(rows, levels) {
  const [low, high] = extent([...rows.map((r) => r.y), ...levels.map((l) => l.y)]);
  const ends = rows.flatMap((r) => [r.lo, r.hi]).filter(isNumber);
  const room = 0.25 * (high - low);
  return [Math.max(low - room, Math.min(low, ...ends)), Math.min(high + room,
    Math.max(high, ...ends))];
}

function learningFigure(regime, what, of, levels, options = {}) {
  const rows = () => learningRows(regime, of, what(), decimal);
  return figure(options.caption ?? regime, (w) => {
    const list = rows(), lines = levelsOf(regime, levels);
    return list.length ? lineChart(list, w, { x: "interactions with the regime", y: what(),
      whole: false, dots: false, height: 200, ticks: { tickCount: 5 }, levels: lines,
      across: spanOf(list, lines) }) : null;
  }, () => ({ head: ["experiment", "interactions", what(), "low", "high"],
    rows: rows().map((r) => [experiments[r.e].label, short(r.x), decimal(r.y), decimal(r.lo),
      decimal(r.hi)]) }), options);
}

function learningPanel() {
  if (!acting.length) return null;
  const regimes = regimesOf();
  const returnOf = (r, j) => ({ random: r.returns.random[j], expert: r.returns.expert[j] });
  const measures = namesIn((r) => r.returns?.measure_names ?? []);
  let measure = measures[0];
  const kOf = (r) => r.returns.measure_names.indexOf(measure);
  const control = chooser("Measure", measures, (m) => {
    measure = measures[m];
    redraw();
  });
  const measured = regimes.map((regime) => learningFigure(regime, () => measure,
    (p, r) => p.measures[kOf(r)] ?? null, (r, j) => ({
      random: r.returns.random_measures[kOf(r)]?.[j] ?? null,
      expert: r.returns.expert_measures[kOf(r)]?.[j] ?? null }),
    { caption: `${regime}, what is measured` }));
  const box = panel("Learning curves", "Mean return of test episodes, in worlds that no agent "
    + "learns from, while a regime is learnt: means over the seeds, bands are 95 % t intervals. "
    + "Broken lines are random choices, which score 0, and the expert, who scores 1.", [
    regimes.map((regime) => learningFigure(regime, () => "mean return", (p) => p.test_return, returnOf)),
    ...(measures.length ? [measured] : [])], true);
  if (measures.length) box.querySelectorAll(".charts")[1].before(control);
  return box;
}

function returnPanel() {
  if (!acting.length) return null;
  const list = experiments.map((e, i) => {
    if (!acting.includes(e)) return null;
    const at = (t, j) => over(e, (r) => r.returns?.returns[t]?.[j] ?? null);
    const rows = range(e.tasks.length + 1);
    const cells = () => rows.flatMap((t) => e.tasks.map((regime, j) => {
      const s = at(t, j), score = over(e, (r) => r.accuracy[t]?.[j] ?? null);
      return { row: t, column: regime, v: score.mean, s: decimal(s.mean),
        tip: `${t ? `after ${e.tasks[t - 1]}` : "before training"}, in ${regime}\n`
          + `return ${withHalf(s, decimal)}, score ${withHalf(score)} (n = ${s.n})` };
    })).filter((c) => c.v !== null);
    return figure(e.label, (w) => heatMap(cells(), w, { rows, columns: e.tasks,
      x: "mean return in the regime (colour: score)", y: "regimes learnt",
      figures: "datum.s" }), () => ({ head: ["after", ...e.tasks], rows: [
      ...rows.map((t) => [t ? e.tasks[t - 1] : "nothing", ...e.tasks.map((_, j) =>
        withHalf(at(t, j), decimal))]),
      ...kAlone.map((name) => [name, ...e.tasks.map((_, j) =>
        decimal(over(e, (r) => r.returns?.[name][j] ?? null).mean))])] }), { of: i });
  }).filter((f) => f);
  return panel("Returns", ["Row: after how many regimes; column: the regime that is tested. "
    + "Figures are mean returns of an episode, colours scores. ", gradient()], list, true);
}
