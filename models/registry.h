// The table of models.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "models/model_options.h"
#include "models/network.h"

namespace engram {

/// The classifier on top: `heads` linear layers of `outputs` units; more than one: one per task.
struct HeadShape {
  int heads = 1, outputs = 10;
  int tasks = 1;  ///< that a gating tells apart
};

struct ModelEntry {
  std::string_view name, summary, paper;
  std::vector<LayerPtr> (*layers)(const ModelOptions&, const HeadShape&);
  ModelOptions (*defaults)() = [] { return ModelOptions(); };
};
std::span<const ModelEntry> models();
/// What the keys of a model are where nobody sets them; of an unknown one, those of an mlp.
ModelOptions default_options(std::string_view model);

/// The name that the options mean: `model`, or what `cnn` says.
std::string model_name(const ModelOptions&);

/// Builds and initialises a model. Throws Error(Config) for unknown names and sizes that do not
/// fit. `active_share`: of the inputs that may be non-zero, if that is known.
/// `feedback`: what the rule wants layers to keep.
std::unique_ptr<Network> build_model(const ModelOptions&, ImageShape in, const HeadShape&, Rng,
                                     double active_share = 1, FeedbackPlan feedback = {});

}  // namespace engram
