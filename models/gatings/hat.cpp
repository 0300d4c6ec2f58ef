#include "models/gatings/hat.h"

#include <cmath>

#include <fmt/format.h>

#include "models/network.h"
#include "utils/error.h"

namespace engram {

std::string HatGating::describe() const {
  return "gated by task: learnt attention to every unit of the hidden layers";
}

void HatGating::bind(const Network& net, const FeedbackPlan&, ParamStore& store) {
  find_layers(net);
  store_ = &store;
  for (const GatedLayer& level : layers_) {
    const ImageShape& shape = net.output_shape(level.layer);
    if (shape.height * shape.width > 1)
      throw Error(
          Fault::Config,
          fmt::format("gating = hat gates fully connected units, but {} has {}; use model = "
                      "mlp",
                      net.layer_name(level.layer), shape.text()));
    embeddings_.push_back(
        store.add(net.layer_name(level.layer) + ".embedding", tasks_, level.units));
    store.param(embeddings_.back()).decay = 0;  // towards 0 would be towards a half-open gate
    masks_.emplace_back(static_cast<std::size_t>(tasks_) * static_cast<std::size_t>(level.units));
  }
}

void HatGating::init(const Network&, Rng rng) {
  for (std::size_t level = 0; level < embeddings_.size(); ++level) {
    Rng draw = rng.fork("level", level);
    for (real& e : store_->value(embeddings_[level]).all())
      e = static_cast<real>(draw.normal());
  }
}

void HatGating::refresh(const Network&) {
  const auto s = static_cast<real>(scale_);
  for (std::size_t level = 0; level < embeddings_.size(); ++level) {
    const CMat e = store_->value(embeddings_[level]);
    for (std::size_t i = 0; i < e.size(); ++i)
      masks_[level][i] = 1 / (1 + std::exp(-s * e.data[i]));
  }
}

std::unique_ptr<Gating> make_hat_gating(const GatingOptions& options, int tasks) {
  return std::make_unique<HatGating>(options, tasks);
}

}  // namespace engram
