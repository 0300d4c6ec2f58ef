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

/// Paints `count` images [count, pixels] in [0, 1]. `components`, if given: whose draw each is.
void paint_images(const ImageModel& model, const GaussianMixture& prior, int count, Rng rng,
                  Signal& images, std::vector<int>* components = nullptr);

}  // namespace engram
