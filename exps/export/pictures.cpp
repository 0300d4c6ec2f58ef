#include "exps/export/pictures.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include <fmt/format.h>

#include "exps/export/file_names.h"
#include "utils/png.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

/// "after task 1" as "after-task-1".
std::string words(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '-');
  return plain_name(text);
}

ImageGrid sheet(const PictureRecord& set, std::size_t moment) {
  const std::size_t size = set.count * set.height * set.width * set.channels;
  const int columns = set.columns > 0
                          ? static_cast<int>(set.columns)
                          : static_cast<int>(std::ceil(std::sqrt(static_cast<double>(set.count))));
  return tile_images(std::span(set.pixels).subspan(moment * size, size),
                     static_cast<int>(set.count), static_cast<int>(set.height),
                     static_cast<int>(set.width), static_cast<int>(set.channels), columns,
                     /*gap=*/2, set.is_map ? kGreyGround : kWhiteGround);
}

}  // namespace

std::vector<fs::path> write_pictures(const ResultsSet& set, const fs::path& folder) {
  std::vector<fs::path> written;
  std::set<std::string> taken;
  for (const ExperimentRuns& experiment : set.experiments)
    for (const RunRecord& run : experiment.runs)
      for (const PictureRecord& pictures : run.pictures)
        for (std::size_t m = 0; m < pictures.moments.size(); ++m) {
          if (pictures.count * pictures.height * pictures.width == 0) continue;  // nothing to see
          const std::string name =
              fmt::format("{}-seed-{}-{}-{}", plain_name(experiment.label), run.seed,
                          words(pictures.name), words(pictures.moments[m]));
          const fs::path file = folder / (unique_name(name, taken) + ".png");
          const ImageGrid grid = sheet(pictures, m);
          save_png(file, grid.pixels, grid.height, grid.width, grid.channels);
          written.push_back(file);
        }
  return written;
}

}  // namespace engram
