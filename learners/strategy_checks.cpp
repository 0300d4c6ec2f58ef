#include "learners/strategy_checks.h"

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {

void refuse_single_output(const StrategyContext& context, std::string_view strategy,
                          std::string_view or_else) {
  if (!context.targets || context.targets->width() > 1) return;
  throw Error(Fault::Config,
              fmt::format("strategies: {} needs an output for every class, and head_outputs = "
                          "single has one for both; use head_outputs = own{}",
                          strategy, or_else));
}

void refuse_moving_statistics(const StrategyContext& context, std::string_view strategy,
                              std::string_view or_else) {
  const auto refuse = [&](std::string_view what, std::string_view instead) {
    throw Error(Fault::Config, fmt::format("strategies: {} cannot keep {}, which every task moves; "
                                           "use {}{}",
                                           strategy, what, instead, or_else));
  };
  const Network& net = context.net;
  const ParamStore& params = net.params();
  for (int l = context.still(1); l < net.depth(); ++l) {
    if (net.layer(l).kind() == "batch_norm")
      refuse("the statistics of batch norm", "batch_norm = no");
    for (int id = net.first_state(l); id < net.last_state(l); ++id)
      if (params.state_param(id).name.ends_with(".boost_strength") && params.state(id).data[0] > 0)
        refuse("the duty cycles by which k-winners are boosted", "boost_strength = 0");
  }
  for (int l = 0; l < net.depth(); ++l)
    if (net.layer(l).kind() == "context")
      refuse("the contexts of dendrites, to the nearest of which a test turns",
             "dendrites.segments = 0");
}

}  // namespace engram
