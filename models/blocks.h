// Pieces that several models are built from.
#pragma once

#include <vector>

#include "models/registry.h"

namespace engram {

/// Fully connected hidden layers by the options: linear [batch norm] activation dropout, each.
void add_hidden_layers(std::vector<LayerPtr>& layers, const ModelOptions&, bool relu_by_default);
/// The activation that follows a layer: relu; or k-winners, with a relu before it if asked for.
void add_activation(std::vector<LayerPtr>& layers, const ModelOptions&, double percent_on,
                    bool relu_by_default);
void add_dropout(std::vector<LayerPtr>& layers, const ModelOptions&);
/// The classifier: always dense, one linear layer or one per task.
void add_head(std::vector<LayerPtr>& layers, const ModelOptions&, const HeadShape&);

// The models themselves, one file each.
std::vector<LayerPtr> mlp_layers(const ModelOptions&, const HeadShape&);  // mlp.cpp
std::vector<LayerPtr> cnn_layers(const ModelOptions&, const HeadShape&);  // cnn.cpp

}  // namespace engram
