// What differs between the experiments, where the numbers come from, and what was left out.
function settingsPanel() {
  const keys = [...new Set(experiments.flatMap((e) => Object.keys(e.config)))].sort();
  const differ = keys.filter((k) => new Set(experiments.map((e) => e.config[k])).size > 1);
  const table = (list, label) => makeTable(["setting", ...experiments.map((e) => e.label)],
    list.map((k) => [k, ...experiments.map((e) => e.config[k] ?? "–")]), { words: true, label });
  const shared = keys.filter((k) => !differ.includes(k));
  const note = experiments.length < 2 ? "One experiment: nothing differs."
    : !differ.length ? "All settings are the same." : "";
  return panel("Settings that differ", note, [], false, el("div", {},
    ...(differ.length ? [table(differ, "Settings that differ")] : []),
    later(`The ${shared.length} settings that all share`, () => makeTable(["setting", "value"],
      shared.map((k) => [k, experiments[0].config[k]]),
      { words: true, label: "Shared settings" }))));
}

/** Of experiments whose setting `engram sweep` chose: by what, among how many, at which cost. */
function choicesPanel() {
  const chosen = experiments.filter((e) => e.runs[0].provenance.selection);
  if (!chosen.length) return null;
  const rows = experiments.map((e) => {
    const facts = e.runs[0].provenance;
    if (!facts.selection) return [e.label, "not chosen by a sweep", "–", "–", "–", "–", "–"];
    return [e.label, facts.selection, facts.selection_points, facts.selection_judged_on,
      facts.selection_choice, facts.selection_cost, facts.tuned_on_test];
  });
  const onTest = chosen.filter((e) => e.runs[0].provenance.tuned_on_test === "yes");
  const note = onTest.length ? `Tuned on test: ${onTest.map((e) => e.label).join(", ")}. `
    + "Such figures are too good to be compared with others'." : "";
  return panel("How settings were chosen", note, [], false, makeTable(["experiment", "protocol",
    "points", "judged on", "choice", "cost", "tuned on test"], rows,
  { words: true, label: "How settings were chosen" }));
}

function provenancePanel() {
  const several = (values) => {
    const all = [...new Set(values)];
    return all.length <= 3 ? all.join(", ")
      : `${all.slice(0, 3).join(", ")} and ${all.length - 3} more`;
  };
  const parts = experiments.map((e) => {
    const keys = [...new Set(e.runs.flatMap((r) => Object.keys(r.provenance)))];
    const title = `${e.label}: ${e.runs.length} ${e.runs.length === 1 ? "run" : "runs"}, seeds `
      + e.runs.map((r) => r.seed).join(", ");
    return later(title, () => makeTable(["what", "value"], [
      ["folder", e.folder], ["model", e.model],
      ...keys.map((k) => [k, several(e.runs.map((r) => r.provenance[k] ?? "–"))])],
    { words: true, label: `Provenance of ${e.label}` }));
  });
  return panel("Provenance", `Page written by Engram ${data.engram_version}. Of each experiment: `
    + "code, compiler, machine, libraries, data, times.", [], false, el("div", {}, ...parts));
}

function skippedPanel() {
  if (!data.skipped.length) return null;
  return panel("Files left out", "", [], false, makeTable(["file", "reason"],
    data.skipped.map((s) => [s.file, s.reason]), { words: true, label: "Files left out" }));
}
