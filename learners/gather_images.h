// Some images of a set of examples as a signal, for whoever looks at a few of them outside the
// training loop.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "benchmarks/dataset.h"
#include "models/tape.h"
#include "utils/rng.h"

namespace engram {

/// At most `most` places of a set, drawn without replacement.
inline std::vector<std::uint32_t> some_places(std::size_t size, int most, Rng rng) {
  auto places = rng.permutation(static_cast<std::uint32_t>(size));
  places.resize(std::min(places.size(), static_cast<std::size_t>(most)));
  return places;
}

/// images <- those at these places, [places.size(), pixels].
inline void gather_images(const ExampleSet& examples, std::span<const std::uint32_t> places,
                          Signal& images) {
  const int pixels = examples.shape().size();
  examples.gather(places, images.resize(static_cast<int>(places.size()), pixels), {}, {});
}

}  // namespace engram
