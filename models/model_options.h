// What a model is made of. The keys of the sparse-dynamic-synapses experiments keep their names and
// meaning: in particular `weight_sparsity_*` is the fraction of weights that EXISTS. The defaults
// here are those of mlp and cnn; a model may have its own (ModelEntry::defaults).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/circuits/ff_options.h"
#include "models/circuits/pff_options.h"
#include "models/dendrites/dendrite_options.h"
#include "models/gating.h"
#include "models/layers.h"
#include "models/past/past_options.h"

namespace engram {

enum class Pool { None, Max, Avg };
template <>
struct Choices<Pool> {
  static constexpr std::array<std::string_view, 3> names{"none", "max", "avg"};
};
enum class Activation { Relu, Power, Triangle, Softmax, Tanh, Gelu };
template <>
struct Choices<Activation> {
  static constexpr std::array<std::string_view, 6> names{"relu",    "power", "triangle",
                                                         "softmax", "tanh",  "gelu"};
};
enum class HeadActivation { None, Softmax, Gelu };
template <>
struct Choices<HeadActivation> {
  static constexpr std::array<std::string_view, 3> names{"none", "softmax", "gelu"};
};
enum class NormPlace { None, Before, After };
template <>
struct Choices<NormPlace> {
  static constexpr std::array<std::string_view, 3> names{"none", "before", "after"};
};
enum class WinnersScope { Local, Global };
template <>
struct Choices<WinnersScope> {
  static constexpr std::array<std::string_view, 2> names{"local", "global"};
};

struct ModelOptions {
  std::optional<std::string> model;
  bool cnn = false;
  int hidden_units = 1024, hidden_layers = 1;
  std::vector<int> hidden;
  double dropout = 0.5;
  bool batch_norm = false;
  Activation activation = Activation::Relu;
  double activation_power = 1, activation_gain = 1;
  bool whiten_input = false;
  double whiten_epsilon = 0.01;
  bool unit_input = false, unit_features = false, hidden_bias = true, head_bias = true;
  WeightInit init = WeightInit::Torch;
  double init_scale = 1;
  std::optional<double> init_active_share;
  std::optional<double> head_init_range;
  HeadActivation head_activation = HeadActivation::None;
  NormPlace layer_norm = NormPlace::None;
  bool layer_norm_last = true, layer_norm_shared = false, layer_norm_features = false;

  std::vector<int> conv_channels{64, 128};
  std::vector<int> stage_depths{1, 1}, feature_pool;
  bool bottleneck = false;
  int conv_kernel = 5, conv_stride = 1, conv_pad = 0;
  Pool pool = Pool::None;
  int pool_size = 2;

  bool sparsify = false;
  double percent_on_fc = 0.1, percent_on_conv = 0.99;
  double weight_sparsity_fc = 1, weight_sparsity_conv = 1, weight_sparsity_head = 1;
  /// Which weights of hidden layers exist may change: set by strategies that rewire, not by a key.
  bool rewirable = false;
  MaskRounding mask_rounding = MaskRounding::NonZeros;
  WeightStorage weight_storage = WeightStorage::Auto;
  KWinnersOptions winners;
  std::optional<bool> relu_before_winners;
  WinnersScope winners_conv = WinnersScope::Local;
  bool frozen_new_heads = false;
  PastOptions past;
  GatingOptions gating;
  DendriteOptions dendrites;
  PffOptions pff;
  FfOptions ff;

  template <class V>
  void describe(V&& v) {
    v("model", model, "model of `engram list models`; auto: mlp, or cnn when cnn = true");
    v("cnn", cnn, "legacy spelling of model = cnn");
    v("hidden_units", hidden_units, Range::at_least(1),
      "width of every fully connected hidden layer");
    v("hidden_layers", hidden_layers, Range::at_least(0), "how many of them; a cnn has one");
    v("hidden", hidden, Range::at_least(1),
      "their widths one by one, e.g. 400, 200; overrides both");
    v("dropout", dropout, Range::at_least(0).below(1),
      "probability of dropping a unit after each hidden layer");
    v("batch_norm", batch_norm, "normalise before every activation");
    v("activation", activation,
      "relu; power: relu(x)^n; triangle: relu(x - mean over channels)^n; softmax over channels of "
      "g x; tanh of g x; gelu");
    v("activation_power", activation_power, Range::above(0), "n of power and triangle");
    v("activation_gain", activation_gain, Range::above(0), "g of softmax and tanh");
    v("layer_norm", layer_norm,
      "fully connected hidden layers are normalised over their units before the activation, after "
      "it, or not");
    v("layer_norm_last", layer_norm_last, "the last of them too");
    v("layer_norm_shared", layer_norm_shared, "all with one scale and shift");
    v("layer_norm_features", layer_norm_features, "what the classifier reads is layer-normalised");
    v("whiten_input", whiten_input,
      "mlp, cnn: inputs are whitened (ZCA) by images of the first task, before anything else");
    v("whiten_epsilon", whiten_epsilon, Range::above(0),
      "added to every variance, as a share of their mean");
    v("unit_input", unit_input, "mlp, cnn: every example is divided by its Euclidean norm first");
    v("unit_features", unit_features,
      "what the classifier reads is divided by its Euclidean norm first");
    v("hidden_bias", hidden_bias, "hidden layers have biases; in residual blocks they never do");
    v("head_bias", head_bias, "the classifier has biases");
    v("init", init,
      "how weights start: torch = U(+-1/sqrt(fan_in)), he_uniform = U(+-sqrt(6/fan_in)), "
      "active_fan = U(+-1/sqrt(those of fan_in that exist and are active)); hidden ones alone: "
      "uniform = U(+-1), uniform01 = U(0, 1), normal = N(0, 1), normal_fan = N(0, 1) / "
      "sqrt(fan_in), and the classifier's by torch");
    v("init_scale", init_scale, Range::above(0), "multiplies these last four");
    v("init_active_share", init_active_share, Range::above(0).at_most(1),
      "active_fan: share of the inputs that are active, of the classifier and fully connected "
      "hidden layers from the second on; elsewhere all are (auto: percent_on_fc with k-winners, "
      "otherwise 0.5)");
    v("head_init_range", head_init_range, Range::at_least(0),
      "the classifier's weights start as U(+-this), its biases as 0; auto: as init says");
    v("head_activation", head_activation,
      "of the classifier's outputs, before the loss: a softmax there is a second one for the "
      "cross-entropy");
    v("conv_channels", conv_channels, Range::at_least(1),
      "channels of each convolution, or stage of a resnet; not in an mlp");
    v("stage_depths", stage_depths, Range::at_least(1),
      "vgg: convolutions in each stage; resnet_imagenet: its residual blocks");
    v("bottleneck", bottleneck, "resnet_imagenet: blocks of 1x1, 3x3 and 1x1 convolutions");
    v("feature_pool", feature_pool, Range::at_least(1),
      "vgg, resnet_imagenet: the last images are averaged to this height and width, and perhaps "
      "channels; empty: they are not");
    v("conv_kernel", conv_kernel, Range::at_least(1), "their kernel size");
    v("conv_stride", conv_stride, Range::at_least(1), "their stride");
    v("conv_pad", conv_pad, Range::at_least(0), "their zero padding");
    v("pool", pool, "pooling after each convolution of a cnn, after all but the last of a lenet");
    v("pool_size", pool_size, Range::at_least(1), "window and stride of the pooling");
    v("sparsify", sparsify, "k-winners and sparse weights instead of a dense model");
    v("percent_on_fc", percent_on_fc, Range::above(0).at_most(1),
      "fraction of units that win in fully connected layers; 1: only the activation");
    v("percent_on_conv", percent_on_conv, Range::above(0).at_most(1),
      "fraction of channels that win in convolutions; 1: only the activation");
    v("weight_sparsity_fc", weight_sparsity_fc, Range::above(0).at_most(1),
      "fraction of fully connected weights that EXISTS");
    v("weight_sparsity_conv", weight_sparsity_conv, Range::above(0).at_most(1),
      "fraction of convolution weights that EXISTS");
    v("weight_sparsity_head", weight_sparsity_head, Range::above(0).at_most(1),
      "fraction of the classifier's weights that EXISTS");
    v("mask_rounding", mask_rounding,
      "which count is rounded: nonzeros (nupic.torch today) or zeros (November 2019)");
    v("weight_storage", weight_storage,
      "layers with missing weights keep: auto: what is faster; dense: all, masked; sparse: the "
      "rest");
    v("boost_strength", winners.boost_strength, Range::at_least(0),
      "boosting of rarely active units; 0: off");
    v("boost_strength_factor", winners.boost_strength_factor, Range::fraction(),
      "boost strength is multiplied by this at the start of each epoch");
    v("k_inference_factor", winners.k_inference_factor, Range::above(0),
      "winners in evaluation relative to training");
    v("duty_cycle_period", winners.duty_cycle_period, Range::at_least(1),
      "samples over which duty cycles average");
    v("ties", winners.ties,
      "strict: exactly k winners, lowest index first; threshold: all as large as the k-th");
    v("overlong_batch", winners.overlong,
      "duty cycles when a batch exceeds the period: its mean, or the literal formula, which can "
      "leave [0, 1]");
    v("rectify_winners", winners.rectify, "winners must also be positive");
    v("allow_dead", winners.allow_dead, "accept k = 0, which silences a layer");
    v("relu_before_winners", relu_before_winners,
      "whether the activation comes before winners are chosen; auto: only in a cnn, as in the "
      "reference");
    v("winners_conv", winners_conv, "channels compete at each place, or all units of an image");
    v("frozen_new_heads", frozen_new_heads,
      "reference bug: heads after the first are never trained");
    past.describe(v);
    gating.describe(v);
    dendrites.describe(v);
    pff.describe(v);
    ff.describe(v);
  }
};

}  // namespace engram
