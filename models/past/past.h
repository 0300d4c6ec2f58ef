// Layers that read outputs of earlier layers of the same pass, beside their own input, and how
// models are built with them. From D2BL ("distribution-driven backpropagation learning").
#pragma once

#include <span>
#include <vector>

#include "models/layers.h"
#include "models/past/past_options.h"

namespace engram {

/// y = x + w, x w or w, with w drawn for every example from a Gaussian kernel density estimate
/// over the activations that are remembered: a point of them at random, plus normal noise. They
/// are constants: no error reaches them, nor, when x is replaced, x.                     kde.cpp
LayerPtr kde(const KdeOptions&);
/// What is remembered and what is read, the latter last, as an image of as many places in a row,
/// whose channels are the features of each.                                           recall.cpp
LayerPtr recall();
/// y = [P_1 x, ..., P_H x], P_h = softmax over the columns of T_h(Qᵀ K / tau), T_h the noise on the
/// map. Remembers Q and K, [places, features] each. Without independent heads all share Q, K and
/// x.                                                                       pseudo_attention.cpp
LayerPtr pseudo_attention(const AttentionOptions&);

/// Conditions the next layer that is added on outputs of the layers `remembered` (their places in
/// `layers`, from the bottom up): appends what goes in between. `features`: what the layer would
/// read, and will; `synapses`: of the projections.
void add_past(std::vector<LayerPtr>& layers, const PastOptions&, std::span<const int> remembered,
              int features, const Synapses& synapses);

}  // namespace engram
