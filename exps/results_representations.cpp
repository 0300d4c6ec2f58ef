// /representations of a results file, written and read.
#include "exps/results_parts.h"

namespace engram::results {
namespace {

using Overlaps = xt::xtensor<double, 3>;

void put_overlaps(const h5::Group& group, const std::string& name, const Overlaps& overlaps,
                  const About& about) {
  put<double>(group, name, {overlaps.data(), overlaps.size()},
              {overlaps.shape(0), overlaps.shape(1), overlaps.shape(2)}, about);
}

Overlaps read_overlaps(const Reader& group, const std::string& name, std::size_t rows,
                       std::size_t tasks) {
  const std::vector<double> values = group.numbers(name, {rows, tasks, tasks}, 0, 1);
  Overlaps out({rows, tasks, tasks});
  std::copy(values.begin(), values.end(), out.begin());
  return out;
}

}  // namespace

void save_representations(const h5::Group& root, const RunRecord& run) {
  if (run.representations.empty()) return;
  const h5::Group all = root.create("representations");
  for (const RepresentationRecord& record : run.representations) {
    const h5::Group group = all.create(link_name(all, record.layer));
    group.attribute("layer", record.layer);
    put_table(group, "linear_probe_accuracy", record.probe_accuracy,
              {"fraction",
               "[rows, T]: accuracy of a ridge-regression probe on the features of task j after "
               "experience i, fitted to half of the examples and tested on the others; row 0 "
               "before training; NaN where not evaluated"});
    put_table(group, "drift", record.drift,
              {"1",
               "[rows, T]: 1 - mean cosine between an example's features now and when its task "
               "was just learnt"});
    put_overlaps(group, "overlap", record.overlap,
                 {"1", "[rows, T, T]: cosine of the mean absolute features of two tasks"});
    put_overlaps(group, "active_overlap", record.active_overlap,
                 {"fraction",
                  "[rows, T, T]: Jaccard index of the sets of features that are not zero on more "
                  "than a tenth of a task's examples"});
  }
}

void load_representations(const h5::Group& root, Budget& budget, RunRecord& run) {
  if (!root.has("representations")) return;
  const std::size_t rows = run.accuracy.shape(0), tasks = run.task_names.size();
  for (const std::string& name : root.open("representations").names()) {
    const Reader group(root, "representations/" + name);
    budget.take(group.path(), {2, rows, tasks, tasks + 1}, sizeof(double));
    RepresentationRecord record;
    record.layer = group.group().text_attribute("layer");
    record.probe_accuracy = group.table("linear_probe_accuracy", {rows, tasks}, 0, 1);
    record.drift = group.table("drift", {rows, tasks}, 0, 2);
    record.overlap = read_overlaps(group, "overlap", rows, tasks);
    record.active_overlap = read_overlaps(group, "active_overlap", rows, tasks);
    run.representations.push_back(std::move(record));
  }
}

}  // namespace engram::results
