// /plasticity of a results file, written and read.
#include "exps/results_parts.h"

namespace engram::results {
namespace {

using Records = std::vector<PlasticityRecord>;
using Measures = std::span<const PlasticityMeasure>;

void save_layers(const h5::Group& all, const char* kind, const Records& records,
                 Measures measures) {
  const h5::Group layers = all.create(kind);
  for (const PlasticityRecord& record : records) {
    const h5::Group group = layers.create(link_name(layers, record.layer));
    group.attribute("layer", record.layer);
    for (std::size_t m = 0; m < measures.size(); ++m)
      put_table(group, measures[m].name, record.measures[m],
                {measures[m].unit, measures[m].description});
  }
}

void load_layers(const h5::Group& root, const std::string& path, Measures measures, Budget& budget,
                 std::size_t phases, Records& records) {
  for (const std::string& name : root.open(path).names()) {
    const Reader group(root, path + "/" + name);
    budget.take(group.path(), {measures.size(), phases, 2}, sizeof(double));
    PlasticityRecord record{group.group().text_attribute("layer"), {}};
    for (const PlasticityMeasure& measure : measures) {
      const bool is_share = std::string_view(measure.unit) == "fraction";
      record.measures.push_back(
          group.table(measure.name, {phases, 2}, 0, is_share ? 1 : kMostScore));
    }
    records.push_back(std::move(record));
  }
}

}  // namespace

void save_plasticity(const h5::Group& root, const RunRecord& run) {
  if (run.unit_plasticity.empty()) return;
  const h5::Group all = root.create("plasticity");
  save_layers(all, "units", run.unit_plasticity, kUnitMeasures);
  save_layers(all, "weights", run.weight_plasticity, kWeightMeasures);
}

void load_plasticity(const h5::Group& root, Budget& budget, RunRecord& run) {
  if (!root.has("plasticity")) return;
  const std::size_t phases = run.accuracy.shape(0) - 1;
  load_layers(root, "plasticity/units", kUnitMeasures, budget, phases, run.unit_plasticity);
  load_layers(root, "plasticity/weights", kWeightMeasures, budget, phases, run.weight_plasticity);
}

}  // namespace engram::results
