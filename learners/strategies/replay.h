// Strategies that remember examples, outputs or gradients of the past, or paint them.
#pragma once

#include <memory>

#include "learners/strategy.h"

namespace engram {

struct GenerativeReplayOptions {
  int images = 2000, codes = 5000, components = 10;
  double share = 1;
  template <class V>
  void describe(V&& v) {
    v("generative_replay.images", images, Range::at_least(1),
      "images painted after every task, from which later batches are filled up");
    v("generative_replay.share", share, Range::at_least(0),
      "painted images in a batch, relative to its own");
    v("generative_replay.codes", codes, Range::at_least(1),
      "images whose codes the mixture is fitted to, at most; from all tasks alike");
    v("generative_replay.components", components, Range::at_least(1),
      "Gaussians of the mixture for every task");
  }
};
std::unique_ptr<Strategy> make_generative_replay(const GenerativeReplayOptions&,
                                                 const StrategyContext&);

}  // namespace engram
