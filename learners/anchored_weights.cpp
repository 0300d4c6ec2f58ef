#include "learners/anchored_weights.h"

#include <algorithm>

#include <fmt/format.h>

#include "learners/gather_batch.h"
#include "learners/gather_images.h"
#include "utils/error.h"

namespace engram {

AnchoredWeights::AnchoredWeights(const StrategyContext& context, std::string_view strategy)
    : weights_(context.net.params().values().size()), anchor_(weights_) {
  for (int l = 0; l < context.net.depth(); ++l)
    if (!context.net.layer(l).differentiable())
      throw Error(Fault::Config,
                  fmt::format("strategies: {} asks how weights move the outputs, but {} hands no "
                              "errors down; use si or l2, or a model that back-propagation teaches",
                              strategy, context.net.layer_name(l)));
}

std::vector<std::span<real>> AnchoredWeights::state() {
  auto all = anchor_.state();
  all.emplace_back(learnt_);
  return all;
}

std::vector<real> AnchoredWeights::mean_over(Training& t, int count, int step, Mean mean,
                                             SampleGradients::Of of, const Rng& rng,
                                             const Add& add) const {
  const ExampleSet& train = t.experience->train;
  const auto places =
      some_places(train.size(), count > 0 ? count : static_cast<int>(train.size()), rng);
  SampleGradients gradients(t.net, of);
  std::vector<real> sums(weights_, 0);
  Batch batch;
  std::size_t terms = 0;
  for (std::size_t at = 0; at < places.size(); at += batch.place.size()) {
    const auto rows = std::min(static_cast<std::size_t>(step), places.size() - at);
    gather_batch(train, std::span(places).subspan(at, rows), *t.targets, t.tasks_seen, batch);
    add(batch, gradients.forward(batch.x, batch.task), gradients, sums);
    terms += mean == Mean::OverBatches ? 1 : rows;
  }
  for (real& v : sums)
    v /= static_cast<real>(terms);
  return sums;
}

}  // namespace engram
