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
