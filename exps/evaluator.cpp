#include "exps/evaluator.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learners/learner.h"
#include "learners/loss.h"

namespace engram {

int rows_at_once(const Network& net) {
  int widest = 1;
  for (int l = -1; l < net.depth(); ++l)
    widest = std::max(widest, net.output_shape(l).size());
  return std::clamp(4'000'000 / widest, 16, 500);
}

Evaluator::Evaluator(const Network& net, const Targets& targets, const EvaluationOptions& options,
                     int batch_size)
    : net_(net),
      targets_(targets),
      o_(options),
      batch_size_(batch_size),
      rows_(rows_at_once(net)),
      hidden_(hidden_activations(net)) {}

int Evaluator::units_of(const Network& net, int layer) {
  return net.output_shape(layer).channels;
}

double Evaluator::accuracy(const ExampleSet& examples, int task, int tasks_seen, UnitUsage* usage) {
  int head = task;
  if (!targets_.can_test(task, tasks_seen)) {
    const bool read_newest = o_.unseen_heads == UnseenHeads::Newest && tasks_seen > 0 &&
                             targets_.head() == Head::PerTask;
    if (!read_newest) return kNotEvaluated;
    head = tasks_seen - 1;
  }
  if (examples.empty()) return kNotEvaluated;
  if (usage) {
    usage->counts.clear();
    for (const int l : hidden_)
      usage->counts.emplace_back(units_of(net_, l), 0);
    usage->active_fraction.assign(hidden_.size(), 0);
  }
  correct_.assign(examples.size(), 0);
  const auto step = static_cast<std::size_t>(rows_);
  for (std::size_t begin = 0; begin < examples.size(); begin += step)
    evaluate_batch(examples, begin, std::min(begin + step, examples.size()), task, head, tasks_seen,
                   usage);
  if (usage)
    for (double& f : usage->active_fraction)
      f /= static_cast<double>(examples.size());
  return padded_accuracy(examples.size());
}

void Evaluator::evaluate_batch(const ExampleSet& examples, std::size_t begin, std::size_t end,
                               int task, int head, int tasks_seen, UnitUsage* usage) {
  const std::size_t rows = end - begin;
  places_.resize(rows);
  std::iota(places_.begin(), places_.end(), static_cast<std::uint32_t>(begin));
  batch_.target.resize(rows), batch_.task.resize(rows);
  const Mat x = batch_.x.resize(static_cast<int>(rows), net_.in().size());
  examples.gather(places_, x, batch_.target, batch_.task, &batch_.x.active);
  std::fill(batch_.task.begin(), batch_.task.end(), head);
  const auto mask = targets_.test_mask(task, tasks_seen);
  // Models that are random in evaluation too meet every batch with numbers of its own.
  const Rng rng = Rng(0).fork("evaluate", static_cast<std::uint64_t>(task)).fork("batch", begin);
  Pass pass{.training = false, .rng = rng, .tasks = batch_.task};
  if (o_.mask_rule == MaskRule::Exclude) pass.outputs = mask;
  macs_ += net_.evaluate(batch_.x, tape_, pass);

  const Mat logits = tape_.back().out.value();
  const auto outputs = static_cast<std::size_t>(logits.cols);
  for (std::size_t i = 0; i < rows; ++i) {
    real* z = logits.row(static_cast<int>(i));
    if (o_.mask_rule == MaskRule::Multiply && !mask.empty())
      for (std::size_t c = 0; c < outputs; ++c)
        z[c] *= static_cast<real>(mask[c]);
    const int best = predicted_class(
        {z, outputs}, o_.mask_rule == MaskRule::Multiply ? std::span<const std::uint8_t>{} : mask);
    batch_.target[i] = targets_.target(task, batch_.target[i]);
    correct_[begin + i] = best == batch_.target[i];
  }
  if (goodness_) goodness_->add(tape_, batch_.target);
  if (usage) count_units(*usage);
}

void Evaluator::count_units(UnitUsage& usage) const {
  for (std::size_t h = 0; h < hidden_.size(); ++h) {
    const Signal& y = tape_[static_cast<std::size_t>(hidden_[h])].out;
    auto& counts = usage.counts[h];
    const int units = static_cast<int>(counts.size());
    std::size_t active = 0;
    for (int b = 0; b < y.rows(); ++b) {
      const real* row = y.value().row(b);
      const auto count = [&](int i) {
        if (row[i] != 0) ++counts[static_cast<std::size_t>(i % units)], ++active;
      };
      if (y.active.known())
        for (const int i : y.active.row(b))
          count(i);
      else
        for (int i = 0; i < y.cols(); ++i)
          count(i);
    }
    usage.active_fraction[h] += static_cast<double>(active) / y.cols();
  }
}

/// The reference evaluated whole batches: the first examples were put in front once more until the
/// set filled its last batch. Release 1.0.0 divided by the padded size, November 2019 by the true
/// one, so that its accuracies reach 1.0112 on 10,000 examples.
double Evaluator::padded_accuracy(std::size_t examples) const {
  const auto hits = [&](std::size_t count) {
    return std::accumulate(correct_.begin(), correct_.begin() + static_cast<std::ptrdiff_t>(count),
                           0.0);
  };
  const auto batch = static_cast<std::size_t>(batch_size_);
  const std::size_t pad = examples % batch == 0 ? 0 : std::min(batch - examples % batch, examples);
  const double n = static_cast<double>(examples);
  switch (o_.eval_pad) {
    case EvalPad::None:
      return hits(examples) / n;
    case EvalPad::V1:
      return (hits(examples) + hits(pad)) / (n + static_cast<double>(pad));
    case EvalPad::Nov2019:
      return (hits(examples) + hits(pad)) / n;
  }
  return kNotEvaluated;
}

}  // namespace engram
