#include "exps/looks/looks.h"

#include <fmt/format.h>

#include "exps/looks/pictures.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr double kMebi = 1 << 20;
constexpr double kMostBytes = 128 * kMebi;  // half of what a results file may hold of them

}  // namespace

Looks::Looks(const Network& net, const Targets& targets, const TaskStream& stream,
             const EvaluationOptions& options, Rng rng)
    : stream_(stream),
      fields_(net, options.receptive_fields),
      representations_(net, targets, stream, options, rng.fork("representations")),
      plasticity_(net, stream, options, rng.fork("plasticity")),
      attributions_(net, targets, stream, options) {
  const double moments = stream.experiences() == 1 ? 2 : matrix_rows(stream);
  const double bytes = moments * static_cast<double>(fields_.bytes() + attributions_.bytes());
  if (bytes > kMostBytes)
    throw Error(Fault::Config,
                fmt::format("receptive_fields and attributions make {:.0f} MiB of pictures over {} "
                            "rows, which is more than the {:.0f} that are kept; ask for fewer",
                            bytes / kMebi, matrix_rows(stream), kMostBytes / kMebi));
}

void Looks::take(const Moment& m, RunRecord& run) {
  fields_.take(name_of_moment(stream_, m), run);
  representations_.take(m, run);
  plasticity_.take(m, run);
  attributions_.take(m, run);
}

}  // namespace engram
