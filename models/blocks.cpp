#include "models/blocks.h"

namespace engram {

void add_activation(std::vector<LayerPtr>& layers, const ModelOptions& o, double percent_on,
                    bool relu_by_default) {
  const bool winners = o.sparsify && percent_on < 1;
  if (!winners || o.relu_before_winners.value_or(relu_by_default)) layers.push_back(relu());
  if (!winners) return;
  KWinnersOptions k = o.winners;
  k.percent_on = percent_on;
  k.local = o.winners_conv == WinnersScope::Local;
  layers.push_back(k_winners(k));
}

void add_dropout(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  if (o.dropout > 0) layers.push_back(dropout(o.dropout));
}

Synapses conv_synapses(const ModelOptions& o, Biased biased) {
  return {o.sparsify ? o.weight_sparsity_conv : 1, o.mask_rounding, o.init, o.weight_storage,
          biased == Biased::Yes};
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

void add_hidden_layers(std::vector<LayerPtr>& layers, const ModelOptions& o, bool relu_by_default) {
  std::vector<int> widths = o.hidden;
  if (widths.empty()) widths.assign(static_cast<std::size_t>(o.hidden_layers), o.hidden_units);
  const Synapses synapses{o.sparsify ? o.weight_sparsity_fc : 1, o.mask_rounding, o.init,
                          o.weight_storage};
  for (const int width : widths) {
    layers.push_back(linear(width, synapses));
    if (o.batch_norm) layers.push_back(batch_norm());
    add_activation(layers, o, o.percent_on_fc, relu_by_default);
    add_dropout(layers, o);
  }
}

void add_head(std::vector<LayerPtr>& layers, const ModelOptions& o, const HeadShape& head) {
  const Synapses dense{.init = o.init};
  if (head.heads == 1)
    layers.push_back(linear(head.outputs, dense));
  else
    layers.push_back(multi_head(head.heads, head.outputs, o.frozen_new_heads, dense));
}

}  // namespace engram
