// Layers conditioned on the past: on outputs of earlier layers of the same pass (D2BL). What they
// remember, and what they make of it.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "utils/options.h"

namespace engram {

enum class PastMechanism { None, Kde, Attention };
template <>
struct Choices<PastMechanism> {
  static constexpr std::array<std::string_view, 3> names{"none", "kde", "attention"};
};
enum class PastOf { Outputs, Sums };
template <>
struct Choices<PastOf> {
  static constexpr std::array<std::string_view, 2> names{"outputs", "sums"};
};

enum class KdePoints { Single, Feature, FeatureIndep };
template <>
struct Choices<KdePoints> {
  static constexpr std::array<std::string_view, 3> names{"single", "feature", "feature_indep"};
};
enum class KdeUse { Shift, Scale, Replace };
template <>
struct Choices<KdeUse> {
  static constexpr std::array<std::string_view, 3> names{"shift", "scale", "replace"};
};
enum class KdeDraw { Kde, Gaussian, Scalar };
template <>
struct Choices<KdeDraw> {
  static constexpr std::array<std::string_view, 3> names{"kde", "gaussian", "scalar"};
};

/// What a kernel density estimate over past activations is for.
struct KdeOptions {
  KdePoints points = KdePoints::Feature;
  KdeUse use = KdeUse::Shift;
  double bandwidth = 0.2;
  KdeDraw draw = KdeDraw::Kde;
  bool stochastic_eval = false;

  template <class V>
  void describe(V&& v) {
    v("kde.points", points,
      "single: every past activation of an example is a point on a line, and each feature draws "
      "its own; feature: every past layer is a point with as many dimensions as features; "
      "feature_indep: each feature draws its layer");
    v("kde.use", use, "what is drawn is added to a layer's input, multiplies it, or replaces it");
    v("kde.bandwidth", bandwidth, Range::at_least(0), "standard deviation of the Gaussian kernel");
    v("kde.draw", draw,
      "kde; or for comparison gaussian: normal numbers of the same mean and variance; scalar: one "
      "number from U(0.99, 1.09) for the whole batch, whatever the past");
  }
};

enum class MapNoise { None, CrossoverMutation };
template <>
struct Choices<MapNoise> {
  static constexpr std::array<std::string_view, 2> names{"none", "crossover_mutation"};
};
enum class Crossover { SwapGrad, CopyDetached };
template <>
struct Choices<Crossover> {
  static constexpr std::array<std::string_view, 2> names{"swap_grad", "copy_detached"};
};
enum class MapNoisePer { Call, Sample };
template <>
struct Choices<MapNoisePer> {
  static constexpr std::array<std::string_view, 2> names{"call", "sample"};
};

/// Attention of features to features, over past layers.
struct AttentionOptions {
  bool projected = true;
  std::optional<int> width;
  int heads = 4;
  bool independent_heads = false;
  std::optional<double> tau;
  MapNoise noise = MapNoise::None;
  double mutation_share = 0.6, mutation = 0.3, crossover = 0.3;
  Crossover semantics = Crossover::SwapGrad;
  bool crossover_at_least_one = true;
  MapNoisePer noise_per = MapNoisePer::Call;
  bool stochastic_eval = false;

  template <class V>
  void describe(V&& v) {
    v("attention.projected", projected,
      "queries, keys and values are linear in what is remembered and read, or are that itself");
    v("attention.width", width, Range::at_least(1),
      "features of queries, keys and values; auto: as many as the layer reads");
    v("attention.heads", heads, Range::at_least(1), "copies of the map that are weighed apart");
    v("attention.independent_heads", independent_heads,
      "every head has projections of its own; otherwise heads differ by noise alone, as in D2BL");
    v("attention.tau", tau, Range::above(0),
      "the map is divided by this before its softmax; auto: the root of the features");
    v("attention.noise", noise,
      "crossover_mutation: each pass changes the map, by multiplying every entry by a number near "
      "1 or by exchanging the tails of two rows");
    v("attention.mutation_share", mutation_share, Range::fraction(),
      "probability that it is the former");
    v("attention.mutation", mutation, Range::fraction(),
      "mutation: entries are multiplied by numbers from U(1 - this, 1 + this)");
    v("attention.crossover", crossover, Range::fraction(),
      "crossover: share of a row that its tail is");
    v("attention.crossover_semantics", semantics,
      "swap_grad: tails are exchanged, and their errors; copy_detached: one row gets the tail of "
      "the other, and no error reaches either, as D2BL's code does");
    v("attention.crossover_at_least_one", crossover_at_least_one,
      "a tail is never empty, as it is for few features in D2BL's code");
    v("attention.noise_per", noise_per,
      "whether a pass or every example chooses between mutation and crossover");
  }
};

struct PastOptions {
  PastMechanism mechanism = PastMechanism::None;
  std::vector<int> at;
  PastOf of = PastOf::Outputs;
  bool head = false;
  int layers = 0, hidden = 0;
  std::vector<int> shape;
  bool stochastic_eval = false;
  KdeOptions kde;
  AttentionOptions attention;

  template <class V>
  void describe(V&& v) {
    v("past", mechanism,
      "what conditions layers on earlier layers of the same pass: nothing, a sample of a kernel "
      "density estimate over them, or attention of features to features over them");
    v("past_at", at, Range::at_least(1),
      "hidden fully connected layers that are conditioned, the first is 1; empty: all but it");
    v("past_of", of,
      "what is remembered of a hidden layer: what the next one reads, or the sum before its "
      "activation");
    v("past_head", head,
      "any model: instead, what the classifier reads is the last hidden activation conditioned on "
      "earlier ones");
    v("past_layers", layers, Range::at_least(0),
      "past_head: the last so many hidden activations are remembered; 0: all");
    v("past_shape", shape, Range::at_least(1),
      "past_head: height, width and channels to which images of different sizes are averaged "
      "first; empty: they have one size");
    v("past_hidden", hidden, Range::at_least(0),
      "past_head: units of a hidden layer between it and the classifier; 0: none");
    v("stochastic_eval", stochastic_eval,
      "what is random in training stays so in evaluation, as in D2BL; otherwise densities are "
      "replaced by their means, and maps are left as they are");
    kde.describe(v);
    attention.describe(v);
  }
};

}  // namespace engram
