#include "learners/loss.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/power.h"

namespace engram {
namespace {

using Mask = std::span<const std::uint8_t>;

Mask mask_of(const Batch& batch, std::size_t row) {
  return batch.mask.empty() ? Mask{} : batch.mask[row];
}

bool has_label(const Batch& batch, int row) {
  return batch.goal.rows() > 0 || batch.target[static_cast<std::size_t>(row)] >= 0;
}
/// Rows over which the loss is a mean; at least 1.
int labelled_rows(const Batch& batch, int rows) {
  int count = 0;
  for (int b = 0; b < rows; ++b)
    count += has_label(batch, b);
  return std::max(1, count);
}

/// The loss of one output, and its derivative with respect to the logit.
struct Term {
  double loss, slope;
};

Term bce_with_logits(double z, bool on) {
  const double target = on ? 1 : 0;
  const double tail = std::exp(-std::abs(z));  // never overflows
  const double sigmoid = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
  return {std::max(z, 0.0) - z * target + std::log1p(tail), sigmoid - target};
}

Term squared(double z, double target) {
  return {(z - target) * (z - target), 2 * (z - target)};
}

Term huber(double z, double target) {
  const double d = z - target, size = std::abs(d);
  return {size < 1 ? d * d / 2 : size - 0.5, std::clamp(d, -1.0, 1.0)};
}

/// |tanh(gain z) - target|^m for targets 1 and -1.
class PowerTerm {
 public:
  explicit PowerTerm(const LossOptions& o) : power_(o.power), slope_(o.power - 1), gain_(o.gain) {}
  Term operator()(double z, bool on) const {
    const double c = std::tanh(gain_ * z);
    const double distance = on ? 1 - c : c + 1;
    const double slope = power_.exponent() * slope_.of(distance) * gain_ * (1 - c * c);
    return {power_.of(distance), on ? -slope : slope};
  }

 private:
  Power power_, slope_;
  double gain_;
};

/// Whether an output is the target of its row.
struct Labels {
  const Batch& batch;
  int outputs;
  bool operator()(int b, int c) const {
    const int target = batch.target[static_cast<std::size_t>(b)];
    return outputs == 1 ? target != 0 : target == c;
  }
};
/// The number that an output is to come near.
struct Goals {
  CMat goal;
  double operator()(int b, int c) const { return static_cast<double>(goal.row(b)[c]); }
};

enum class Over { Mean, Sum };
/// Losses that are means or sums over the outputs of a row: term(logit, aim(row, output)).
template <class TermOf, class Aim>
BatchStats of_terms(const TermOf& term, const Aim& aim, Over over, const Signal& logits,
                    const Batch& batch, Signal& error) {
  BatchStats stats;
  const Mat gradient = error.resize(logits.rows(), logits.cols());
  const auto outputs = static_cast<std::size_t>(logits.cols());
  const int rows = labelled_rows(batch, logits.rows());
  for (int b = 0; b < logits.rows(); ++b) {
    if (!has_label(batch, b)) {
      std::fill_n(gradient.row(b), outputs, real{0});
      continue;
    }
    const auto row = static_cast<std::size_t>(b);
    const std::span<const real> z{logits.value().row(b), outputs};
    const Mask mask = mask_of(batch, row);
    const auto allowed = [&](std::size_t c) { return mask.empty() || mask[c] != 0; };
    double count = 0, sum = 0;
    for (std::size_t c = 0; c < outputs; ++c)
      count += allowed(c);
    if (over == Over::Sum) count = std::min(count, 1.);
    for (std::size_t c = 0; c < outputs; ++c) {
      gradient.row(b)[c] = 0;
      if (!allowed(c)) continue;
      const auto [loss, slope] = term(static_cast<double>(z[c]), aim(b, static_cast<int>(c)));
      sum += loss;
      gradient.row(b)[c] = static_cast<real>(slope / count / rows);
    }
    if (count > 0) stats.loss += sum / count;
    if constexpr (std::is_same_v<Aim, Labels>)
      if (b < batch.own_rows()) stats.correct += predicted_class(z, mask) == batch.target[row];
  }
  stats.counted = batch.own_rows();
  stats.loss /= rows;
  return stats;
}

BatchStats goal_error(const LossOptions& o, const Signal& logits, const Batch& batch,
                      Signal& error) {
  const Goals goals{batch.goal.value()};
  ENGRAM_INVARIANT(goals.goal.rows == logits.rows() && goals.goal.cols == logits.cols());
  if (o.loss == Loss::Mse) return of_terms(squared, goals, Over::Mean, logits, batch, error);
  if (o.loss == Loss::Huber) return of_terms(huber, goals, Over::Mean, logits, batch, error);
  throw Error(Fault::Config,
              fmt::format("loss = {} knows labels alone; numbers are learnt by mse or huber",
                          name_of(o.loss)));
}

}  // namespace

int predicted_class(std::span<const real> logits, Mask mask) {
  return logits.size() == 1 ? static_cast<int>(logits[0] > 0) : kernels::argmax(logits, mask);
}

BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error, double clip) {
  if (logits.cols() == 1)
    throw Error(Fault::Config,
                "the cross-entropy of a single output is always 0; with head_outputs = single use "
                "loss = bce or mse");
  BatchStats stats;
  const Mat gradient = error.resize(logits.rows(), logits.cols());
  const auto outputs = static_cast<std::size_t>(logits.cols());
  const int rows = labelled_rows(batch, logits.rows());
  const real scale = real{1} / static_cast<real>(rows);
  const double most = -std::log(clip), least = -std::log1p(-clip);  // of the loss of an example
  for (int b = 0; b < logits.rows(); ++b) {
    if (!has_label(batch, b)) {
      std::fill_n(gradient.row(b), outputs, real{0});
      continue;
    }
    const auto row = static_cast<std::size_t>(b);
    const std::span<const real> z{logits.value().row(b), outputs};
    const Mask mask = mask_of(batch, row);
    if (b < batch.own_rows()) stats.correct += predicted_class(z, mask) == batch.target[row];
    const double loss =
        kernels::softmax_cross_entropy(z, batch.target[row], mask, scale, gradient.row(b));
    if (loss < least || loss > most) std::fill_n(gradient.row(b), outputs, real{0});
    stats.loss += loss;
  }
  stats.loss /= rows;
  stats.counted = batch.own_rows();
  return stats;
}

BatchStats output_error(const LossOptions& o, const Signal& logits, const Batch& batch,
                        Signal& error) {
  if (batch.goal.rows() > 0) return goal_error(o, logits, batch, error);
  const Labels labels{batch, logits.cols()};
  const double off = o.mse_target == MseTarget::Signed ? -1 : 0;
  switch (o.loss) {
    case Loss::CrossEntropy:
      return cross_entropy(logits, batch, error, o.clip);
    case Loss::Bce:
      return of_terms(bce_with_logits, labels, Over::Mean, logits, batch, error);
    case Loss::Mse: {
      const auto term = [off](double z, bool on) { return squared(z, on ? 1 : off); };
      return of_terms(term, labels, Over::Mean, logits, batch, error);
    }
    case Loss::Power:
      return of_terms(PowerTerm(o), labels, Over::Sum, logits, batch, error);
    case Loss::Huber: {
      const auto term = [off](double z, bool on) { return huber(z, on ? 1 : off); };
      return of_terms(term, labels, Over::Mean, logits, batch, error);
    }
  }
  broken_invariant("the loss is one of its choices");
}

}  // namespace engram
