// Losses on the outputs of a network.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "learners/batch.h"
#include "utils/options.h"

namespace engram {

enum class Loss { CrossEntropy, Bce, Mse, Power, Huber };
template <>
struct Choices<Loss> {
  static constexpr std::array<std::string_view, 5> names{"cross_entropy", "bce", "mse", "power",
                                                         "huber"};
};
enum class MseTarget { OneHot, Signed };
template <>
struct Choices<MseTarget> {
  static constexpr std::array<std::string_view, 2> names{"one_hot", "signed"};
};

/// A loss with what shapes it.
struct LossOptions {
  // NOLINTNEXTLINE(google-explicit-constructor): a loss by its defaults
  LossOptions(Loss kind = Loss::CrossEntropy) : loss(kind) {}
  Loss loss;
  double clip = 0;             ///< of Loss::CrossEntropy
  double power = 6, gain = 1;  ///< of Loss::Power
  MseTarget mse_target = MseTarget::OneHot;

  template <class V>
  void describe(V&& v) {
    v("loss", loss,
      "softmax cross-entropy; sigmoid cross-entropy of every output; mean squared error; power: "
      "sum of |tanh(g output) - target|^m over the outputs, targets +-1; or huber: half the "
      "squared "
      "error, growing no faster than the error beyond 1");
    v("loss_clip", clip, Range::at_least(0).below(0.5),
      "cross_entropy: examples whose target has a probability below this or above 1 less this pull "
      "no more, as in Keras, where it is 1e-7; 0: all do");
    v("loss_power", power, Range::at_least(1), "m of power");
    v("loss_gain", gain, Range::above(0), "g of power");
    v("mse_target", mse_target,
      "loss = mse, huber: targets 1 and 0, or 1 and -1 as in the delta rule (LMS)");
  }
};

/// The class that the logits of a row mean: the largest allowed output; of a single output whether
/// it is positive.
int predicted_class(std::span<const real> logits, std::span<const std::uint8_t> mask);

/// The mean of a loss over the rows of a batch; correct answers are counted among the stream's own
/// rows. Fills `error` with its gradient with respect to the
/// logits; outputs that the batch's mask shuts off take no part. Targets are one-hot; a single
/// output has the target itself, 0 or 1, and is right when it is on the target's side of 0.
/// Bce (of a sigmoid) and Mse are means over the allowed outputs of a row, too. With
/// MseTarget::Signed the targets are 1 and -1: the delta rule of Widrow & Hoff 1960.
/// Outside [clip, 1 - clip] the cross-entropy has no gradient, as where Keras cuts probabilities.
/// Power is the sum of |tanh(gain z) - t|^power over the allowed outputs, t = 1 for the target and
/// -1 for the others (Krotov & Hopfield 2019, who sum over the batch where this takes the mean;
/// Adam does not notice).
/// Huber (1964) is d^2/2 of the distance d to the target where |d| < 1 and |d| - 1/2 beyond: a mean
/// over the allowed outputs, targets as for Mse.
/// Of a batch with goals, Mse and Huber take those for targets, and nothing is counted as correct.
/// Error(Config) for the cross-entropy of a single output, which is always 0, and for goals under
/// another loss.
BatchStats output_error(const LossOptions&, const Signal& logits, const Batch& batch,
                        Signal& error);

/// Mean cross-entropy of a softmax over the allowed outputs of every row: Loss::CrossEntropy.
BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error, double clip = 0);

}  // namespace engram
