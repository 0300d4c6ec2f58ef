#include "exps/looks/pictures.h"

#include <algorithm>

#include <fmt/format.h>

#include "utils/colour_map.h"
#include "utils/error.h"

namespace engram {

std::string name_of_moment(const TaskStream& stream, const Moment& m) {
  if (m.row == 0) return "before training";
  if (stream.experiences() == 1) return "after training";
  const std::string& task = stream.task_name(m.task);
  return stream.experiences() > stream.tasks() ? fmt::format("after phase {}, {}", m.row, task)
                                               : "after " + task;
}

PictureRecord& picture_set(RunRecord& run, PictureRecord fresh) {
  const auto found = std::ranges::find(run.pictures, fresh.name, &PictureRecord::name);
  if (found != run.pictures.end()) return *found;
  run.pictures.push_back(std::move(fresh));
  return run.pictures.back();
}

void append_map(std::span<const real> values, int channels, double most,
                std::vector<std::uint8_t>& pixels) {
  ENGRAM_INVARIANT(channels == 1 || channels == 3);
  for (const real value : values) {
    const double share = most > 0 ? static_cast<double>(value) / most : 0;
    if (channels == 3) {
      pixels.push_back(about_grey(share));
      continue;
    }
    const Colour colour = diverging_colour(share);
    pixels.insert(pixels.end(), colour.begin(), colour.end());
  }
}

}  // namespace engram
