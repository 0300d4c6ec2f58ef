// What rules and models have to say about the data, as groups of the results file: /measures,
// /goodness, /pictures and /embeddings, written and read.
#include <fmt/format.h>

#include "exps/results_parts.h"
#include "utils/error.h"

namespace engram::results {
namespace {

constexpr std::size_t kMostNames = 10'000;  // of measures and moments
constexpr std::size_t kLongestSide = 1024;  // pixels of an image: far more than data sets have
constexpr int kUnknown = -1;                // label or component

// ---- Writing ----

void save_measures(const h5::Group& root, const RunRecord& run) {
  if (run.measure_names.empty()) return;
  const h5::Group group = root.create("measures");
  put_texts(group, "names", run.measure_names, "what the columns of values are");
  for (const EpochRow& row : run.epochs)
    ENGRAM_INVARIANT(row.measures.size() <= run.measure_names.size());
  put_rows(group, "values", run.epochs, &EpochRow::measures, run.measure_names.size(),
           {"1", "[epoch, measure]: mean over the epoch's examples, as the rule measured them"});
}

void save_goodness(const h5::Group& root, const RunRecord& run) {
  if (run.goodness.empty()) return;
  const h5::Group all = root.create("goodness");
  for (const GoodnessRecord& level : run.goodness) {
    const h5::Group group = all.create(link_name(all, level.level));
    group.attribute("level", level.level);
    put_table(group, "with_label", level.with_label,
              {"1",
               "[rows, output]: mean goodness of the test examples of a class under their label, "
               "rows as /accuracy; NaN where none was evaluated"});
    put_table(group, "with_others", level.with_others,
              {"1", "[rows, output]: the same under the other labels that were tried"});
  }
}

void save_picture(const h5::Group& all, const PictureRecord& set) {
  const std::size_t moments = set.moments.size();
  ENGRAM_INVARIANT(set.channels == 1 || set.channels == 3);
  ENGRAM_INVARIANT(std::min(set.height, set.width) >= 1);
  ENGRAM_INVARIANT(std::max(set.height, set.width) <= kLongestSide);
  ENGRAM_INVARIANT(set.pixels.size() ==
                   moments * set.count * set.height * set.width * set.channels);
  ENGRAM_INVARIANT(set.columns <= set.count);
  ENGRAM_INVARIANT(set.labels.size() == moments * set.count);
  ENGRAM_INVARIANT(set.components.size() == moments * set.count);
  const h5::Group group = all.create(link_name(all, set.name));
  group.attribute("name", set.name);
  group.attribute("description", set.description);
  group.attribute("columns", static_cast<std::int64_t>(set.columns));
  group.attribute("map", std::int64_t{set.is_map});
  put<std::uint8_t>(group, "pixels", set.pixels,
                    {moments, set.count, set.height, set.width, set.channels},
                    {"1", "[moment, image, row, column, channel]: 0 is black, 255 full"});
  put_texts(group, "moments", set.moments, "when the images of a row were made");
  put<std::int32_t>(group, "labels", set.labels, {moments, set.count},
                    {"index", "[moment, image]: output that it stands for, -1 where unknown"});
  put<std::int32_t>(
      group, "components", set.components, {moments, set.count},
      {"index", "[moment, image]: component of the mixture it was drawn from, -1 where none"});
}

void save_embedding(const h5::Group& all, const EmbeddingRecord& set) {
  ENGRAM_INVARIANT(set.points.shape(0) == set.labels.size());
  const h5::Group group = all.create(link_name(all, set.name));
  group.attribute("name", set.name);
  group.attribute("description", set.description);
  put_table(group, "points", set.points, {"1", "[example, 2]: a test example in the plane"});
  put(group, "labels", set.labels, {"index", "output that is right for the example"});
}

// ---- Reading ----

void load_measures(const h5::Group& root, Budget& budget, RunRecord& run) {
  if (!root.has("measures")) return;
  const Reader group(root, "measures");
  const std::size_t n = run.epochs.size(), measures = group.length("names");
  if (measures > kMostNames)
    refuse(fmt::format("'measures/names' has {} names; at most {} are read", measures, kMostNames));
  run.measure_names = group.texts("names", measures);
  budget.take("measures/values", {n, measures}, sizeof(double));
  const auto values = group.numbers("values", {n, measures}, -kAnything, kAnything);
  for (std::size_t e = 0; e < n; ++e)
    run.epochs[e].measures = row_of(values, e, measures);
}

GoodnessRecord load_level(const h5::Group& root, const std::string& name, Budget& budget,
                          std::size_t rows) {
  const Reader group(root, "goodness/" + name);
  const Shape shape{rows, group.shape("with_label", 2)[1]};
  budget.take(group.path(), {2, shape[0], shape[1]}, sizeof(double));
  return {group.group().text_attribute("level"),
          group.table("with_label", shape, -kAnything, kAnything),
          group.table("with_others", shape, -kAnything, kAnything)};
}

/// An attribute that files from before it lack.
std::int64_t later_attribute(const Reader& group, const std::string& name, std::size_t most) {
  if (!group.group().has_attribute(name)) return 0;
  const std::int64_t value = group.group().integer_attribute(name);
  if (value < 0 || static_cast<std::uint64_t>(value) > most)
    refuse(
        fmt::format("'{}' has {} = {}, which is outside [0, {}]", group.path(), name, value, most));
  return value;
}

PictureRecord load_picture(const h5::Group& root, const std::string& name, Budget& budget) {
  const Reader group(root, "pictures/" + name);
  const Shape shape = group.shape("pixels", 5);
  const std::size_t moments = shape[0], count = shape[1];
  if (shape[4] != 1 && shape[4] != 3)
    refuse(fmt::format("'{}/pixels' has {} channels instead of 1 or 3", group.path(), shape[4]));
  for (const std::size_t side : {shape[2], shape[3]})
    if (side < 1 || side > kLongestSide)
      refuse(fmt::format("'{}/pixels' has images of {}x{} pixels; sides are 1 to {}", group.path(),
                         shape[2], shape[3], kLongestSide));
  if (moments > kMostNames)
    refuse(
        fmt::format("'{}' has {} moments; at most {} are read", group.path(), moments, kMostNames));
  budget.take(group.path() + "/pixels", shape, 1);
  budget.take(group.path() + "/labels", {moments, count, 2}, sizeof(std::int64_t));
  PictureRecord set{.name = group.group().text_attribute("name"),
                    .description = group.group().text_attribute("description"),
                    .moments = group.texts("moments", moments),
                    .height = shape[2],
                    .width = shape[3],
                    .channels = shape[4],
                    .count = count,
                    .pixels = group.bytes("pixels", shape),
                    .labels = {},
                    .components = {},
                    .columns = 0,
                    .is_map = false};
  set.labels = group.ints("labels", {moments, count}, kUnknown);
  set.components = group.ints("components", {moments, count}, kUnknown);
  set.columns = static_cast<std::size_t>(later_attribute(group, "columns", count));
  set.is_map = later_attribute(group, "map", 1) == 1;
  return set;
}

EmbeddingRecord load_embedding(const h5::Group& root, const std::string& name, Budget& budget) {
  const Reader group(root, "embeddings/" + name);
  const std::size_t n = group.length("labels");
  budget.take(group.path(), {n, 3}, sizeof(double));
  return {group.group().text_attribute("name"), group.group().text_attribute("description"),
          group.table("points", {n, 2}, -kAnything, kAnything),
          group.ints("labels", {n}, kUnknown)};
}

template <class Record, class Load>
void load_each(const h5::Group& root, const char* where, std::vector<Record>& records, Load load) {
  if (!root.has(where)) return;
  for (const std::string& name : root.open(where).names())
    records.push_back(load(name));
}

}  // namespace

void save_goodness_and_pictures(const h5::Group& root, const RunRecord& run) {
  save_measures(root, run);
  save_goodness(root, run);
  if (!run.pictures.empty()) {
    const h5::Group all = root.create("pictures");
    for (const PictureRecord& set : run.pictures)
      save_picture(all, set);
  }
  if (!run.embeddings.empty()) {
    const h5::Group all = root.create("embeddings");
    for (const EmbeddingRecord& set : run.embeddings)
      save_embedding(all, set);
  }
  save_representations(root, run);
  save_plasticity(root, run);
  save_returns(root, run);
}

void load_goodness_and_pictures(const h5::Group& root, RunRecord& run) {
  Budget budget;
  load_measures(root, budget, run);
  load_each(root, "goodness", run.goodness, [&](const std::string& name) {
    return load_level(root, name, budget, run.accuracy.shape(0));
  });
  load_each(root, "pictures", run.pictures,
            [&](const std::string& name) { return load_picture(root, name, budget); });
  load_each(root, "embeddings", run.embeddings,
            [&](const std::string& name) { return load_embedding(root, name, budget); });
  load_representations(root, budget, run);
  load_plasticity(root, budget, run);
  load_returns(root, budget, run);
}

}  // namespace engram::results
