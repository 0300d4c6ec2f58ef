// The constants of a forward-forward network.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "utils/options.h"

namespace engram {

/// Where the label stands in the input.
enum class LabelPlace { Overlay, Append };
template <>
struct Choices<LabelPlace> {
  static constexpr std::array<std::string_view, 2> names{"overlay", "append"};
};
/// The length that a level's activity is brought to before the next one reads it.
enum class FfNormaliser { Rms, L2 };
template <>
struct Choices<FfNormaliser> {
  static constexpr std::array<std::string_view, 2> names{"rms", "l2"};
};
enum class FfGoodness { Sum, Mean };
template <>
struct Choices<FfGoodness> {
  static constexpr std::array<std::string_view, 2> names{"sum", "mean"};
};
enum class FfInference { Energy, Softmax };
template <>
struct Choices<FfInference> {
  static constexpr std::array<std::string_view, 2> names{"energy", "softmax"};
};

struct FfOptions {
  LabelPlace label = LabelPlace::Overlay;
  double label_strength = 1;
  FfNormaliser normaliser = FfNormaliser::Rms;
  double normaliser_epsilon = 1e-20;
  bool normalise_input = true;
  FfGoodness goodness = FfGoodness::Sum;
  std::optional<double> threshold;
  FfInference inference = FfInference::Energy;
  int first_level = 2;

  template <class V>
  void describe(V&& v) {
    v("ff.label", label,
      "the label takes the place of the first pixels, or of inputs of its own behind them");
    v("ff.label_strength", label_strength, Range::above(0), "value of the label's input");
    v("ff.normaliser", normaliser,
      "activities divided by their root mean square or by their length before they are read");
    v("ff.normaliser_epsilon", normaliser_epsilon, Range::at_least(0), "added to that divisor");
    v("ff.normalise_input", normalise_input, "the input too, label included");
    v("ff.goodness", goodness, "of a level: the sum of its squared activities, or their mean");
    v("ff.threshold", threshold, Range::at_least(0),
      "goodness between positive and negative; auto: the number of units, for the mean 1");
    v("ff.inference", inference,
      "the label of the largest goodness, every one tried; or softmax regression from one pass "
      "under a neutral label");
    v("ff.first_level", first_level, Range::at_least(1),
      "levels below do not count at test, unless there is no other");
  }
};

}  // namespace engram
