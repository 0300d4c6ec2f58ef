// Every task is the whole data set turned by an angle of its own (Lopez-Paz and Ranzato 2017).
#include <utility>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/rng.h"

namespace engram {
namespace {

double angle_of(const StreamOptions& options, std::uint64_t seed, std::uint64_t task) {
  if (task == 0 && options.first_task_identity) return 0;
  if (options.rotation == RotationPlan::Even)
    return static_cast<double>(task) * options.max_rotation / options.tasks;
  return Rng(options.permutation_seed.value_or(seed))
      .fork("rotation", task)
      .uniform(0, options.max_rotation);
}

}  // namespace

std::unique_ptr<TaskStream> make_rotated(const StreamOptions& options, const Dataset& data,
                                         std::uint64_t seed) {
  const PixelScale scale = pixel_scale(options, data);
  std::vector<TaskPlan> plans(static_cast<std::size_t>(options.tasks));
  for (std::size_t t = 0; t < plans.size(); ++t) {
    const double degrees = angle_of(options, seed, t);
    plans[t].classes = all_classes(data);
    plans[t].map = PixelMap::rotated(data.shape(), scale, options.pad, degrees);
    plans[t].name = fmt::format("rotation {:.1f}", degrees);
  }
  fill_rows(options, data, seed, plans);
  return std::make_unique<CutStream>(data, "rotated " + data.name, std::move(plans), true);
}

}  // namespace engram
