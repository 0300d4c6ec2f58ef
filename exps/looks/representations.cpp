#include "exps/looks/representations.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "exps/evaluator.h"
#include "learners/gather_images.h"
#include "learners/learner.h"
#include "utils/error.h"
#include "utils/ridge_probe.h"

namespace engram {
namespace {

constexpr int kGrid = 4;                // cells along a side of a map
constexpr double kStrength = 0.01;      // of the probe's ridge
constexpr double kActiveShare = 0.1;    // of the examples on which an active feature is not 0
constexpr int kRemembered = 100;        // examples of a task whose features are kept for the drift
constexpr double kMostBytes = 1 << 26;  // of the tables of overlaps of a run

int cells(int side) {
  return std::min(side, kGrid);
}
std::size_t features_in(const ImageShape& shape) {
  return static_cast<std::size_t>(cells(shape.height) * cells(shape.width) * shape.channels);
}

double cosine(std::span<const double> a, std::span<const double> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  if (aa == 0 && bb == 0) return kNotEvaluated;
  if (aa == 0 || bb == 0) return 0;
  return std::clamp(ab / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
}

std::span<const double> row_of(const Features& f, std::size_t row) {
  return {f.data() + row * f.shape(1), f.shape(1)};
}

Features rows_of(const Features& f, std::size_t first, std::size_t count) {
  Features out({count, f.shape(1)});
  std::copy_n(f.data() + first * f.shape(1), out.size(), out.data());
  return out;
}

}  // namespace

Features pooled_features(const Signal& y, const ImageShape& shape) {
  const CMat all = y.value();
  const int h = cells(shape.height), w = cells(shape.width);
  Features out({static_cast<std::size_t>(all.rows), features_in(shape)}, 0.0);
  std::vector<double> share(static_cast<std::size_t>(h * w));  // 1 / places of the cell
  const auto cell_of = [&](int row, int column) {
    return static_cast<std::size_t>(row * h / shape.height * w + column * w / shape.width);
  };
  for (int row = 0; row < shape.height; ++row)
    for (int column = 0; column < shape.width; ++column)
      ++share[cell_of(row, column)];
  for (double& s : share)
    s = 1 / s;
  const auto channels = static_cast<std::size_t>(shape.channels);
  for (int b = 0; b < all.rows; ++b) {
    const real* from = all.row(b);
    double* to = out.data() + static_cast<std::size_t>(b) * out.shape(1);
    for (int row = 0; row < shape.height; ++row)
      for (int column = 0; column < shape.width; ++column, from += channels) {
        const std::size_t cell = cell_of(row, column);
        for (std::size_t c = 0; c < channels; ++c)
          to[cell * channels + c] += share[cell] * static_cast<double>(from[c]);
      }
  }
  return out;
}

double probe_accuracy(const Features& features, std::span<const std::int32_t> labels) {
  const std::size_t n = labels.size(), half = n / 2;
  if (n < 4) return kNotEvaluated;
  const RidgeProbe probe(rows_of(features, 0, half), labels.first(half), kStrength);
  return probe.accuracy(rows_of(features, half, n - half), labels.subspan(half));
}

double representation_drift(const Features& now, const Features& then) {
  ENGRAM_INVARIANT(now.shape() == then.shape());
  const std::size_t n = now.shape(0);
  if (n == 0) return kNotEvaluated;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double same = cosine(row_of(now, i), row_of(then, i));
    sum += std::isnan(same) ? 1 : same;
  }
  return std::clamp(1 - sum / static_cast<double>(n), 0.0, 2.0);
}

ActivityProfile activity_profile(const Features& features) {
  const std::size_t n = features.shape(0), width = features.shape(1);
  ActivityProfile out{std::vector<double>(width), std::vector<std::uint8_t>(width)};
  std::vector<double> times(width);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < width; ++j)
      out.strength[j] += std::abs(features(i, j)), times[j] += features(i, j) != 0;
  for (std::size_t j = 0; j < width; ++j) {
    out.strength[j] /= static_cast<double>(std::max<std::size_t>(n, 1));
    out.active[j] = times[j] > kActiveShare * static_cast<double>(n);
  }
  return out;
}

double strength_overlap(const ActivityProfile& a, const ActivityProfile& b) {
  const auto silent = [](double strength) { return strength == 0; };
  if (std::ranges::all_of(a.strength, silent) || std::ranges::all_of(b.strength, silent))
    return kNotEvaluated;
  return cosine(a.strength, b.strength);
}

double active_overlap(const ActivityProfile& a, const ActivityProfile& b) {
  double both = 0, either = 0;
  for (std::size_t j = 0; j < a.active.size(); ++j)
    both += a.active[j] != 0 && b.active[j] != 0, either += a.active[j] != 0 || b.active[j] != 0;
  return either > 0 ? both / either : kNotEvaluated;
}

Representations::Representations(const Network& net, const Targets& targets,
                                 const TaskStream& stream, const EvaluationOptions& options,
                                 Rng rng)
    : net_(net),
      targets_(targets),
      stream_(stream),
      rng_(rng),
      examples_(options.representation_examples),
      validation_(options.evaluate_validation) {
  if (!on()) return;
  layers_ = hidden_activations(net);
  if (layers_.empty())
    throw Error(Fault::Config,
                "representation_examples looks at hidden layers, of which this network has none "
                "that can be read by themselves; use representation_examples = 0");
  const double tasks = stream.tasks();
  const double bytes = 2 * sizeof(double) * tasks * tasks * matrix_rows(stream);
  if (bytes * static_cast<double>(layers_.size()) > kMostBytes)
    throw Error(Fault::Config, fmt::format("representation_examples: overlaps of {} tasks in {} "
                                           "layers are too many to keep; use fewer tasks, or "
                                           "representation_examples = 0",
                                           stream.tasks(), layers_.size()));
  samples_.resize(static_cast<std::size_t>(stream.tasks()));
  for (std::size_t l = 0; l < layers_.size(); ++l)
    when_learnt_.emplace_back(
        samples_.size() * static_cast<std::size_t>(std::min(examples_, kRemembered)) * width(l));
}

std::size_t Representations::width(std::size_t layer) const {
  return features_in(net_.output_shape(layers_[layer]));
}

std::vector<std::span<real>> Representations::state() {
  return {when_learnt_.begin(), when_learnt_.end()};
}

const Representations::Sample& Representations::sample(int task) {
  Sample& s = samples_[static_cast<std::size_t>(task)];
  if (!s.labels.empty()) return s;
  const ExampleSet all = validation_ ? stream_.validation(task) : stream_.test(task);
  s.examples = all.subset(
      some_places(all.size(), examples_, rng_.fork("examples", static_cast<std::uint64_t>(task))));
  for (std::size_t i = 0; i < s.examples.size(); ++i)
    s.labels.push_back(targets_.target(task, s.examples.label(i)));
  return s;
}

std::vector<Features> Representations::features_of(int task) {
  const Sample& s = sample(task);
  const std::size_t n = s.examples.size();
  std::vector<Features> out;
  for (std::size_t l = 0; l < layers_.size(); ++l)
    out.emplace_back(Features::shape_type{n, width(l)});
  const auto step = static_cast<std::size_t>(rows_at_once(net_));
  Signal x;
  Tape tape;
  for (std::size_t begin = 0; begin < n; begin += step) {
    std::vector<std::uint32_t> places(std::min(step, n - begin));
    std::iota(places.begin(), places.end(), static_cast<std::uint32_t>(begin));
    s.examples.gather(places, x.resize(static_cast<int>(places.size()), net_.in().size()), {}, {},
                      &x.active);
    const std::vector<int> tasks(places.size(), task);
    net_.evaluate(x, tape, {.training = false, .tasks = tasks});
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Features some = pooled_features(tape[static_cast<std::size_t>(layers_[l])].out,
                                            net_.output_shape(layers_[l]));
      std::copy(some.begin(), some.end(), out[l].data() + begin * out[l].shape(1));
    }
  }
  return out;
}

void Representations::start(RunRecord& run) const {
  const auto tasks = static_cast<std::size_t>(stream_.tasks());
  const auto rows = static_cast<std::size_t>(matrix_rows(stream_));
  run.representations.clear();
  for (const int l : layers_) {
    RepresentationRecord record;
    record.layer = net_.layer_name(l);
    record.probe_accuracy = record.drift = Table({rows, tasks}, kNotEvaluated);
    record.overlap = record.active_overlap =
        xt::xtensor<double, 3>({rows, tasks, tasks}, kNotEvaluated);
    run.representations.push_back(std::move(record));
  }
}

void Representations::remember(std::size_t layer, int task, const Features& now) {
  const std::size_t room = when_learnt_[layer].size() / samples_.size();
  std::transform(now.data(), now.data() + std::min(room, now.size()),
                 when_learnt_[layer].data() + static_cast<std::size_t>(task) * room,
                 [](double v) { return static_cast<real>(v); });
}

Features Representations::remembered(std::size_t layer, int task) const {
  const std::size_t room = when_learnt_[layer].size() / samples_.size();
  const std::size_t rows =
      std::min(room / width(layer), samples_[static_cast<std::size_t>(task)].labels.size());
  Features out({rows, width(layer)});
  std::copy_n(when_learnt_[layer].data() + static_cast<std::size_t>(task) * room, out.size(),
              out.data());
  return out;
}

void Representations::take(const Moment& m, RunRecord& run) {
  if (!on()) return;
  if (m.row == 0) start(run);
  ENGRAM_INVARIANT(run.representations.size() == layers_.size());
  const int tasks = m.row == 0 ? stream_.tasks() : m.learnt;
  const auto at = static_cast<std::size_t>(m.row);
  std::vector<std::vector<ActivityProfile>> profiles(layers_.size());
  for (int task = 0; task < tasks; ++task) {
    const std::vector<Features> features = features_of(task);
    const auto t = static_cast<std::size_t>(task);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      RepresentationRecord& record = run.representations[l];
      record.probe_accuracy(at, t) = probe_accuracy(features[l], samples_[t].labels);
      if (m.is_new(task)) remember(l, task, features[l]);
      if (m.row > 0) {
        const Features then = remembered(l, task);
        record.drift(at, t) = representation_drift(rows_of(features[l], 0, then.shape(0)), then);
      }
      profiles[l].push_back(activity_profile(features[l]));
    }
  }
  for (std::size_t l = 0; l < layers_.size(); ++l)
    for (std::size_t a = 0; a < profiles[l].size(); ++a)
      for (std::size_t b = 0; b < profiles[l].size(); ++b) {
        RepresentationRecord& record = run.representations[l];
        record.overlap(at, a, b) = strength_overlap(profiles[l][a], profiles[l][b]);
        record.active_overlap(at, a, b) = active_overlap(profiles[l][a], profiles[l][b]);
      }
}

}  // namespace engram
