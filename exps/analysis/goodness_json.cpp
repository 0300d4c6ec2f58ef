// Measures of rules, goodness, pictures and embeddings as JSON.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "exps/analysis/json_parts.h"
#include "utils/digest.h"

namespace engram::json_parts {
namespace {

using nlohmann::json;

json picture(const PictureRecord& set, const JsonOptions& options) {
  const std::size_t bytes = set.height * set.width * set.channels;
  std::size_t count =
      options.most_images == 0 ? set.count : std::min(set.count, options.most_images);
  if (set.columns > 0 && count < set.count && count >= set.columns)
    count -= count % set.columns;  // whole rows
  // Of a film some frames from all of it, of other sets the first images.
  std::vector<std::size_t> images = evenly(set.count, count);
  if (set.name != kFilm) std::iota(images.begin(), images.end(), std::size_t{0});
  images.resize(count);
  json moments = json::array();
  for (const std::size_t m : evenly(set.moments.size(), options.most_moments)) {
    std::vector<std::uint8_t> pixels;
    json labels = json::array(), components = json::array();
    for (const std::size_t i : images) {
      const std::size_t at = m * set.count + i;
      pixels.insert(pixels.end(), set.pixels.begin() + static_cast<std::ptrdiff_t>(at * bytes),
                    set.pixels.begin() + static_cast<std::ptrdiff_t>((at + 1) * bytes));
      labels.push_back(set.labels[at]), components.push_back(set.components[at]);
    }
    moments.push_back({{"name", set.moments[m]},
                       {"pixels", base64(pixels)},
                       {"labels", std::move(labels)},
                       {"components", std::move(components)}});
  }
  return {{"name", set.name},
          {"description", set.description},
          {"height", set.height},
          {"width", set.width},
          {"channels", set.channels},
          {"count", count},
          {"columns", set.columns},
          {"map", set.is_map},
          {"all_images", set.count},
          {"all_moments", set.moments.size()},
          {"moments", std::move(moments)}};
}

json embedding(const EmbeddingRecord& set, const JsonOptions& options) {
  json points = json::array(), labels = json::array();
  for (const std::size_t i : evenly(set.labels.size(), options.most_points)) {
    points.push_back({number(set.points(i, 0)), number(set.points(i, 1))});
    labels.push_back(set.labels[i]);
  }
  return {{"name", set.name},
          {"description", set.description},
          {"all_points", set.labels.size()},
          {"points", std::move(points)},
          {"labels", std::move(labels)}};
}

}  // namespace

json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values)
    list.push_back(number(value));
  return list;
}

std::vector<std::size_t> evenly(std::size_t all, std::size_t most) {
  const std::size_t shown = most == 0 ? all : std::min(all, std::max<std::size_t>(most, 2));
  std::vector<std::size_t> at(shown);
  for (std::size_t i = 0; i < shown; ++i)
    at[i] = shown == all ? i : i * (all - 1) / (shown - 1);
  return at;
}

json measures(const RunRecord& run) {
  json values = json::array();
  if (!run.measure_names.empty())
    for (const EpochRow& row : run.epochs)
      values.push_back(numbers(row.measures));
  return {{"names", run.measure_names}, {"values", std::move(values)}};
}

json goodness(const RunRecord& run) {
  json list = json::array();
  for (const GoodnessRecord& level : run.goodness)
    list.push_back({{"level", level.level},
                    {"with_label", table(level.with_label)},
                    {"with_others", table(level.with_others)}});
  return list;
}

json pictures(const RunRecord& run, const JsonOptions& options) {
  json list = json::array();
  for (const PictureRecord& set : run.pictures)
    list.push_back(picture(set, options));
  return list;
}

json representations(const RunRecord& run) {
  // Of the overlaps, those of the last row that has any.
  const auto last = [](const xt::xtensor<double, 3>& all) {
    const std::size_t tasks = all.shape(1);
    Table out({tasks, tasks}, kNotEvaluated);
    for (std::size_t row = all.shape(0); row-- > 0;) {
      const double* from = all.data() + row * out.size();
      if (std::all_of(from, from + out.size(), [](double v) { return std::isnan(v); })) continue;
      std::copy_n(from, out.size(), out.data());
      break;
    }
    return out;
  };
  json list = json::array();
  for (const RepresentationRecord& r : run.representations)
    list.push_back({{"layer", r.layer},
                    {"linear_probe_accuracy", table(r.probe_accuracy)},
                    {"drift", table(r.drift)},
                    {"overlap_final", table(last(r.overlap))},
                    {"active_overlap_final", table(last(r.active_overlap))}});
  return list;
}

json plasticity(const RunRecord& run) {
  const auto layers = [](const std::vector<PlasticityRecord>& records,
                         std::span<const PlasticityMeasure> measures) {
    json list = json::array();
    for (const PlasticityRecord& record : records) {
      json one{{"layer", record.layer}};
      for (std::size_t m = 0; m < measures.size(); ++m)
        one[measures[m].name] = table(record.measures[m]);
      list.push_back(std::move(one));
    }
    return list;
  };
  return {{"units", layers(run.unit_plasticity, kUnitMeasures)},
          {"weights", layers(run.weight_plasticity, kWeightMeasures)}};
}

json embeddings(const RunRecord& run, const JsonOptions& options) {
  json list = json::array();
  for (const EmbeddingRecord& set : run.embeddings)
    list.push_back(embedding(set, options));
  return list;
}

json returns(const RunRecord& run) {
  if (!run.returns) return nullptr;
  const ReturnRecord& r = *run.returns;
  json curve = json::array(), of_measures = json::array();
  for (const LearningPoint& p : r.curve)
    curve.push_back({{"experience", p.experience},
                     {"interactions", p.interactions},
                     {"train_return", number(p.train_return)},
                     {"test_return", number(p.test_return)},
                     {"score", number(p.score)},
                     {"measures", numbers(p.measures)}});
  for (const Table& measure : r.measures)
    of_measures.push_back(table(measure));
  return {{"simulation", r.simulation},
          {"agent", r.agent},
          {"returns", table(r.returns)},
          {"random", numbers(r.random)},
          {"expert", numbers(r.expert)},
          {"measure_names", r.measure_names},
          {"measures", std::move(of_measures)},
          {"random_measures", table(r.random_measures)},
          {"expert_measures", table(r.expert_measures)},
          {"curve", std::move(curve)}};
}

}  // namespace engram::json_parts
