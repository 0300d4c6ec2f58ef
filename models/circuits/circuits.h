// Models that are one circuit with a rule of its own rather than a stack of layers.
#pragma once

#include <string>
#include <vector>

#include "models/registry.h"

namespace engram {

std::vector<LayerPtr> pff_layers(const ModelOptions&, const HeadShape&);  // pff_model.cpp
ModelOptions pff_defaults();
std::vector<LayerPtr> ff_layers(const ModelOptions&, const HeadShape&);  // ff_model.cpp
ModelOptions ff_defaults();

/// Error(Config) when labels cannot be tried with such a head.
void check_labels(const std::string& model, const HeadShape& head);

}  // namespace engram
