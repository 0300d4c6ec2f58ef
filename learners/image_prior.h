// What images a generating network may paint by itself: a mixture of Gaussians over the codes that
// it gives to images, and images decoded from draws of that mixture (ancestral sampling).
#pragma once

#include <vector>

#include "benchmarks/dataset.h"
#include "models/goodness.h"
#include "utils/gaussian_mixture.h"
#include "utils/rng.h"

namespace engram {

/// Codes [n, latents] of images [n, pixels], some at a time; `outputs`: labels that may be guessed.
xt::xtensor<double, 2> codes_of(const ImageModel& model, CMat images,
                                std::span<const std::uint8_t> outputs = {});

/// Images [places.size(), pixels] of a set of examples.
void gather_images(const ExampleSet& examples, std::span<const std::uint32_t> places,
                   Signal& images);
/// At most `most` places of a set, drawn without replacement.
std::vector<std::uint32_t> some_places(std::size_t size, int most, Rng rng);

/// Paints `count` images [count, pixels] in [0, 1]. `components`, if given: whose draw each is.
void paint_images(const ImageModel& model, const GaussianMixture& prior, int count, Rng rng,
                  Signal& images, std::vector<int>* components = nullptr);

}  // namespace engram
