#include "exps/looks/plasticity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "exps/evaluator.h"
#include "learners/gather_images.h"
#include "learners/learner.h"
#include "models/synaptic.h"
#include "utils/error.h"
#include "utils/linalg.h"

namespace engram {
namespace {

/// How many of the terms, from the first, make 99 % of their sum.
template <class Term>
double terms_for_most(std::span<const double> values, Term term) {
  double whole = 0, part = 0;
  for (const double v : values)
    whole += term(v);
  if (!(whole > 0)) return 0;
  std::size_t count = 0;
  while (count < values.size() && part < 0.99 * whole)
    part += term(values[count++]);
  return static_cast<double>(count);
}

/// Adds |w| and w^2 of the weights that exist; returns how many they are.
double add_weights(CMat w, const std::vector<std::uint8_t>& mask, bool zero_is_absent, double& sum,
                   double& square) {
  double count = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const auto v = static_cast<double>(w.data[i]);
    sum += std::abs(v), square += v * v;
    count += mask.empty() ? !(zero_is_absent && v == 0) : mask[i] != 0;
  }
  return count;
}

}  // namespace

double dormant_share(std::span<const double> magnitudes, double tau) {
  if (magnitudes.empty()) return kNotEvaluated;
  const auto n = static_cast<double>(magnitudes.size());
  const double mean = std::accumulate(magnitudes.begin(), magnitudes.end(), 0.0) / n;
  const auto dormant = [&](double m) { return m <= tau * mean; };
  return static_cast<double>(std::ranges::count_if(magnitudes, dormant)) / n;
}

Ranks ranks_of(std::span<const double> singular_values) {
  double sum = 0, squares = 0, entropy = 0;
  for (const double s : singular_values)
    sum += s, squares += s * s;
  if (!(sum > 0)) return {};
  for (const double s : singular_values)
    if (s > 0) entropy -= s / sum * std::log(s / sum);
  const double greatest = singular_values.front();
  return {std::exp(entropy), terms_for_most(singular_values, [](double s) { return s * s; }),
          terms_for_most(singular_values, [](double s) { return s; }),
          squares / (greatest * greatest)};
}

PlasticityLook::PlasticityLook(const Network& net, const TaskStream& stream,
                               const EvaluationOptions& options, Rng rng)
    : net_(net), stream_(stream), rng_(rng), examples_(options.plasticity_examples) {
  if (examples_ == 0) return;
  hidden_ = hidden_activations(net);
  if (hidden_.empty())
    throw Error(Fault::Config,
                "plasticity_examples looks at hidden layers, of which this network has none that "
                "can be read by themselves; use plasticity_examples = 0");
  for (int l = 0; l < net.depth(); ++l)
    if (!net.layer(l).synapses().empty() || net.layer(l).existing_synapses())
      weighted_.push_back(l);
}

void PlasticityLook::take(const Moment& m, RunRecord& run) {
  if (examples_ == 0) return;
  if (m.row == 0) start(run);
  const int phases = stream_.experiences();
  const int learnt = m.row > 0 && phases == 1 ? 1 : m.row;  // joint training fills the last row
  if (learnt > 0) measure(learnt - 1, 1, run);
  if (learnt < phases) measure(learnt, 0, run);
}

void PlasticityLook::start(RunRecord& run) const {
  const auto record = [&](int layer, std::size_t measures) {
    const Table empty({static_cast<std::size_t>(matrix_rows(stream_) - 1), 2}, kNotEvaluated);
    return PlasticityRecord{net_.layer_name(layer), std::vector<Table>(measures, empty)};
  };
  run.unit_plasticity.clear(), run.weight_plasticity.clear();
  for (const int l : hidden_)
    run.unit_plasticity.push_back(record(l, kUnitMeasures.size()));
  for (const int l : weighted_)
    run.weight_plasticity.push_back(record(l, kWeightMeasures.size()));
}

void PlasticityLook::measure(int phase, std::size_t moment, RunRecord& run) const {
  const auto fill = [&](PlasticityRecord& record, std::initializer_list<double> values) {
    ENGRAM_INVARIANT(values.size() == record.measures.size());
    for (std::size_t m = 0; m < values.size(); ++m)
      record.measures[m](static_cast<std::size_t>(phase), moment) = values.begin()[m];
  };
  const std::vector<Activity> all = activity(phase);
  ENGRAM_INVARIANT(run.unit_plasticity.size() == all.size());
  for (std::size_t l = 0; l < all.size(); ++l) {
    const auto dormant = [&](double tau) { return dormant_share(all[l].magnitudes, tau); };
    const Ranks ranks = ranks_of(singular_values(all[l].features));
    fill(run.unit_plasticity[l], {dormant(0), dormant(0.01), dormant(0.025), dormant(0.1),
                                  ranks.effective, ranks.approximate, ranks.srank99, ranks.stable});
  }
  for (std::size_t l = 0; l < weighted_.size(); ++l) {
    const Layer& layer = net_.layer(weighted_[l]);
    double sum = 0, square = 0, count = 0;
    for (const SynapticMatrix* matrix : layer.synapses())
      count += add_weights(matrix->weight(), net_.params().param(matrix->weight_id()).mask, false,
                           sum, square);
    if (layer.existing_synapses()) {
      Signal incoming;
      layer.incoming(incoming);
      count += add_weights(std::as_const(incoming).value(), {}, true, sum, square);
    }
    fill(run.weight_plasticity[l], {std::sqrt(square), count > 0 ? sum / count : kNotEvaluated});
  }
}

std::vector<PlasticityLook::Activity> PlasticityLook::activity(int phase) const {
  const ExampleSet train = stream_.experience(phase).train;
  const auto places = some_places(train.size(), examples_,
                                  rng_.fork("examples", static_cast<std::uint64_t>(phase)));
  std::vector<Activity> all(hidden_.size());
  const std::size_t n = places.size(), step = static_cast<std::size_t>(rows_at_once(net_));
  Signal x;
  Tape tape;
  std::vector<int> labels, tasks;
  for (std::size_t begin = 0; begin < n; begin += step) {
    const auto some = std::span(places).subspan(begin, std::min(step, n - begin));
    labels.resize(some.size()), tasks.resize(some.size());
    train.gather(some, x.resize(static_cast<int>(some.size()), net_.in().size()), labels, tasks,
                 &x.active);
    net_.evaluate(x, tape, {.training = false, .tasks = tasks});
    for (std::size_t l = 0; l < hidden_.size(); ++l) {
      const ImageShape& shape = net_.output_shape(hidden_[l]);
      const Signal& y = tape[static_cast<std::size_t>(hidden_[l])].out;
      const Features features = pooled_features(y, shape);
      if (begin == 0) {
        all[l].features = Features({n, features.shape(1)}, 0.0);
        all[l].magnitudes.assign(static_cast<std::size_t>(shape.channels), 0.0);
      }
      std::copy(features.begin(), features.end(),
                all[l].features.data() + begin * features.shape(1));
      const CMat value = y.value();
      const double share = 1 / (static_cast<double>(n) * shape.height * shape.width);
      for (std::size_t i = 0; i < value.size(); ++i)
        all[l].magnitudes[i % all[l].magnitudes.size()] +=
            share * std::abs(static_cast<double>(value.data[i]));
    }
  }
  return all;
}

}  // namespace engram
