// Every task is the whole data set under a pixel permutation of its own (Srivastava et al. 2013;
// Goodfellow et al. 2013). The background of padding takes part, as in van de Ven and Tolias 2019.
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

std::vector<std::uint32_t> draw_permutation(const StreamOptions& options, std::uint64_t seed,
                                            std::uint64_t task, std::uint32_t pixels) {
  if (options.permutations == PermutationSource::Philox)
    return Rng(options.permutation_seed.value_or(seed))
        .fork("permutation", task)
        .permutation(pixels);
  const std::uint64_t numpy_seed = options.permutation_seed.value_or(0) + task;
  if (numpy_seed > std::numeric_limits<std::uint32_t>::max())
    throw Error(Fault::Config,
                fmt::format("permutation_seed + task = {} is more than numpy's seeds hold (32 "
                            "bits); use permutations = philox",
                            numpy_seed));
  return numpy_legacy_permutation(static_cast<std::uint32_t>(numpy_seed), pixels);
}

}  // namespace

std::unique_ptr<TaskStream> make_permuted(const StreamOptions& options, const Dataset& data,
                                          std::uint64_t seed) {
  const PixelScale scale = pixel_scale(options, data);
  std::vector<TaskPlan> plans(static_cast<std::size_t>(options.tasks));
  for (std::size_t t = 0; t < plans.size(); ++t) {
    TaskPlan& plan = plans[t];
    plan.classes = all_classes(data);
    plan.map = PixelMap::identity(data.shape(), scale, options.pad);
    plan.name = "identity";
    if (t == 0 && options.first_task_identity) continue;
    const auto pixels = static_cast<std::uint32_t>(plan.map->out().size());
    plan.map = PixelMap::permuted(data.shape(), scale, options.pad,
                                  draw_permutation(options, seed, t, pixels));
    plan.name = fmt::format("permutation {}", t);
  }
  fill_rows(options, data, seed, plans);
  return std::make_unique<CutStream>(data, "permuted " + data.name, std::move(plans), true);
}

}  // namespace engram
