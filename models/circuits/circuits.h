// Models that are one circuit with a rule of its own rather than a stack of layers.
#pragma once

#include <vector>

#include "models/registry.h"

namespace engram {

std::vector<LayerPtr> pff_layers(const ModelOptions&, const HeadShape&);  // pff_model.cpp
ModelOptions pff_defaults();

}  // namespace engram
