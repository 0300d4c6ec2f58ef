#include "models/blocks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/past/past.h"
#include "utils/error.h"

namespace engram {
namespace {

LayerPtr activation(const ModelOptions& o) {
  switch (o.activation) {
    case Activation::Relu:
      return relu();
    case Activation::Power:
      return power_relu(o.activation_power);
    case Activation::Triangle:
      return triangle(o.activation_power);
    case Activation::Softmax:
      return softmax_activation(o.activation_gain);
    case Activation::Gelu:
      return gelu();
    case Activation::Tanh:
      return tanh_activation(o.activation_gain);
  }
  broken_invariant("the activation is one of its choices");
}

/// Of the units of a fully connected hidden layer, for init = active_fan.
double initial_activity(const ModelOptions& o) {
  return o.init_active_share.value_or(o.sparsify && o.percent_on_fc < 1 ? o.percent_on_fc : 0.5);
}

/// Whether the i-th hidden layer, from 1 on, is conditioned on those before it.
bool is_conditioned(const PastOptions& o, int i) {
  if (o.mechanism == PastMechanism::None) return false;
  if (o.at.empty()) return !o.head && i > 1;
  return std::find(o.at.begin(), o.at.end(), i) != o.at.end();
}

/// What the classifier reads: the last hidden activation conditioned on earlier ones, all as images
/// of one shape, and perhaps a hidden layer above.
void add_conditioned(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  const std::vector<int>& shape = o.past.shape;
  if (!shape.empty() && shape.size() != 3)
    throw Error(Fault::Config, "past_shape has a height, a width and channels");
  std::vector<int> seen;
  const auto is_activation = [&](std::size_t l) {
    return l < layers.size() && layers[l]->is_activation();
  };
  for (std::size_t l = 0; l < layers.size(); ++l)  // of relu before k-winners only the latter
    if (is_activation(l) && !is_activation(l + 1)) seen.push_back(static_cast<int>(l));
  if (o.past.layers > 0 && seen.size() > static_cast<std::size_t>(o.past.layers))
    seen.erase(seen.begin(), seen.end() - o.past.layers);
  if (seen.empty())
    throw Error(Fault::Config, "past_head = yes, but the model has no hidden activation");
  if (!shape.empty())
    for (int& l : seen) {
      const int place = static_cast<int>(layers.size());
      layers.push_back(adaptive_avg_pool(shape[0], shape[1], shape[2]));
      layers.back()->wiring.reads = place - l;
      l = place;
    }
  const int features = shape.empty() ? 0 : shape[0] * shape[1] * shape[2];
  if (features == 0 && !o.past.attention.width && o.past.mechanism == PastMechanism::Attention)
    throw Error(Fault::Config,
                "past_head = yes with attention needs attention.width or past_shape");
  add_past(layers, o.past, seen, features, hidden_synapses(o));
  if (o.past.hidden == 0) return;
  layers.push_back(linear(o.past.hidden, hidden_synapses(o)));
  layers.push_back(activation(o));
}

void check_conditioned(const PastOptions& o, int layers) {
  for (const int i : o.at)
    if (o.mechanism != PastMechanism::None && (i < 2 || i > layers))
      throw Error(Fault::Config,
                  fmt::format("past_at = {}: of {} hidden layers, those from 2 on have others "
                              "before them",
                              i, layers));
}

}  // namespace

void add_input(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  if (o.whiten_input) layers.push_back(whiten(o.whiten_epsilon));
  if (o.unit_input) layers.push_back(unit_norm());
}

void add_activation(std::vector<LayerPtr>& layers, const ModelOptions& o, double percent_on,
                    bool relu_by_default) {
  const bool winners = o.sparsify && percent_on < 1;
  if (!winners || o.relu_before_winners.value_or(relu_by_default)) layers.push_back(activation(o));
  if (!winners) return;
  KWinnersOptions k = o.winners;
  k.percent_on = percent_on;
  k.local = o.winners_conv == WinnersScope::Local;
  layers.push_back(k_winners(k));
}

void add_feature_pool(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  const std::vector<int>& size = o.feature_pool;
  if (size.empty()) return;
  if (size.size() != 2 && size.size() != 3)
    throw Error(Fault::Config, "feature_pool has a height and a width, and perhaps channels");
  layers.push_back(adaptive_avg_pool(size[0], size[1], size.size() == 3 ? size[2] : 0));
}

void check_stages(const ModelOptions& o) {
  if (o.stage_depths.size() != o.conv_channels.size())
    throw Error(Fault::Config,
                fmt::format("stage_depths has {} stages and conv_channels {}; name as many",
                            o.stage_depths.size(), o.conv_channels.size()));
}

void add_dropout(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  if (o.dropout > 0) layers.push_back(dropout(o.dropout));
}

Synapses hidden_synapses(const ModelOptions& o, double density, double active_share) {
  const double scale =
      o.init == WeightInit::ActiveFan ? 1 / std::sqrt(density * active_share) : o.init_scale;
  return {density, o.mask_rounding, o.init, o.weight_storage, o.hidden_bias, scale, false};
}

Synapses conv_synapses(const ModelOptions& o, Biased biased) {
  Synapses synapses = hidden_synapses(o, o.sparsify ? o.weight_sparsity_conv : 1);
  synapses.bias = synapses.bias && biased == Biased::Yes;
  return synapses;
}

void add_convolution(std::vector<LayerPtr>& layers, const ModelOptions& o, int channels) {
  layers.push_back(conv2d(channels, o.conv_kernel, o.conv_stride, o.conv_pad, conv_synapses(o)));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
}

void add_conv_stages(std::vector<LayerPtr>& layers, const ModelOptions& o, PoolAfter pooled) {
  for (std::size_t i = 0; i < o.conv_channels.size(); ++i) {
    add_convolution(layers, o, o.conv_channels[i]);
    const bool pools = pooled == PoolAfter::All || i + 1 < o.conv_channels.size();
    if (pools && o.pool == Pool::Max) layers.push_back(max_pool(o.pool_size, o.pool_size));
    if (pools && o.pool == Pool::Avg) layers.push_back(avg_pool(o.pool_size, o.pool_size));
    add_dropout(layers, o);
  }
}

void add_hidden_layers(std::vector<LayerPtr>& layers, const ModelOptions& o, bool relu_by_default,
                       const ContextPlace& context) {
  std::vector<int> widths = o.hidden;
  if (widths.empty()) widths.assign(static_cast<std::size_t>(o.hidden_layers), o.hidden_units);
  check_conditioned(o.past, static_cast<int>(widths.size()));
  const double density = o.sparsify ? o.weight_sparsity_fc : 1;
  const auto shared = o.layer_norm_shared ? std::make_shared<NormSlices>() : nullptr;
  std::vector<int> remembered;
  const auto remember = [&](PastOf what) {
    if (o.past.of == what) remembered.push_back(static_cast<int>(layers.size()) - 1);
  };
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (is_conditioned(o.past, static_cast<int>(i) + 1))
      add_past(layers, o.past, remembered, widths[i - 1], hidden_synapses(o));
    const double active = i > 0 ? initial_activity(o) : 1;
    Synapses synapses = hidden_synapses(o, density, active);
    synapses.rewirable = o.rewirable && density < 1;
    layers.push_back(linear(widths[i], synapses));
    if (i == 0 && context.vectors) layers.back()->wiring.reads = 2;
    if (o.batch_norm) layers.push_back(batch_norm());
    const bool normed = o.layer_norm_last || i + 1 < widths.size();
    if (normed && o.layer_norm == NormPlace::Before) layers.push_back(layer_norm(shared));
    if (context.vectors) add_dendrites(layers, o.dendrites, context);
    remember(PastOf::Sums);
    add_activation(layers, o, o.percent_on_fc, relu_by_default);
    if (normed && o.layer_norm == NormPlace::After) layers.push_back(layer_norm(shared));
    remember(PastOf::Outputs);
    add_dropout(layers, o);
  }
}

void add_head(std::vector<LayerPtr>& layers, const ModelOptions& o, const HeadShape& head) {
  if (o.past.mechanism != PastMechanism::None && o.past.head) add_conditioned(layers, o);
  if (o.layer_norm_features) layers.push_back(layer_norm());
  if (o.unit_features) layers.push_back(unit_norm());
  // Laws with a scale are those of rules that learn hidden layers without errors.
  Synapses synapses =
      hidden_synapses(o, o.sparsify ? o.weight_sparsity_head : 1, initial_activity(o));
  synapses.bias = o.head_bias;
  if (synapses.density == 1) synapses.storage = WeightStorage::Auto;
  if (has_scale(o.init)) synapses.init = WeightInit::Torch;
  if (o.head_init_range)
    synapses.init = WeightInit::Uniform, synapses.init_scale = *o.head_init_range;
  if (head.heads == 1)
    layers.push_back(linear(head.outputs, synapses));
  else
    layers.push_back(multi_head(head.heads, head.outputs, o.frozen_new_heads, synapses));
  if (o.head_activation == HeadActivation::Softmax) layers.push_back(softmax_activation(1));
  if (o.head_activation == HeadActivation::Gelu) layers.push_back(gelu());
}

}  // namespace engram
