#include "learners/preview.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace engram {

void preview(const ExampleSet& examples, Network& net) {
  if (!net.previews()) return;
  constexpr std::size_t kPart = 1024;
  std::vector<std::uint32_t> places;
  std::vector<int> tasks;
  Signal images;
  for (std::size_t begin = 0; begin < examples.size(); begin += kPart) {
    places.resize(std::min(kPart, examples.size() - begin));
    std::iota(places.begin(), places.end(), static_cast<std::uint32_t>(begin));
    tasks.resize(places.size());
    const Mat x = images.resize(static_cast<int>(places.size()), examples.shape().size());
    examples.gather(places, x, {}, tasks);
    net.preview(x, tasks);
  }
}

}  // namespace engram
