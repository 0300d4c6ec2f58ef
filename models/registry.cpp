#include "models/registry.h"

#include "models/blocks.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr ModelEntry kModels[] = {
    {"mlp", "fully connected layers, dense or with k-winners and sparse weights",
     "Ahmad & Scheinkman 2019", mlp_layers},
    {"cnn", "convolutions, then fully connected layers; dense or sparse in the same way",
     "Ahmad & Scheinkman 2019", cnn_layers},
};

}  // namespace

std::span<const ModelEntry> models() {
  return kModels;
}

std::string model_name(const ModelOptions& options) {
  return options.model.value_or(options.cnn ? "cnn" : "mlp");
}

std::unique_ptr<Network> build_model(const ModelOptions& options, ImageShape in,
                                     const HeadShape& head, Rng rng, double active_share,
                                     FeedbackPlan feedback) {
  const std::string name = model_name(options);
  feedback.outputs = head.outputs;
  std::vector<std::string> known;
  for (const ModelEntry& entry : models()) {
    if (entry.name == name)
      return std::make_unique<Network>(in, entry.layers(options, head), rng, active_share,
                                       feedback);
    known.emplace_back(entry.name);
  }
  throw Error(Fault::Config, "model = " + name + ": no such model" + suggestion(name, known));
}

}  // namespace engram
