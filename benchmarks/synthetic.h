// Small generated data sets for tests, smoke runs and demonstrations: learnable in seconds, but not
// by a nearest-prototype guess alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"

namespace engram {

struct SyntheticSize {
  int classes = 10;
  ImageShape shape{12, 12, 1};
  int train = 2000, test = 500;
  std::uint64_t seed = 1;
};

/// Each class is two smooth prototypes made of random blobs; an example is one of them, shifted by
/// up to a pixel, dimmed or brightened, under pixel noise, on a background of zeros. Classes are
/// balanced and shuffled. The same size always gives the same bytes.
Dataset make_synthetic(std::string name, const SyntheticSize& size = {});

/// Coloured images with six attributes, whose names are given: a bright blob on the left, one on
/// the right, vertical stripes, horizontal stripes, a red tint, a dark frame. Each is in half of
/// the images, whatever the others are. `size.train` images and `held_out` more.
Dataset make_synthetic_attributes(std::string name, std::vector<std::string> attributes,
                                  const SyntheticSize& size, int held_out);

/// SHA-256 of labels below 256, a byte each.
std::string digest_of(const std::vector<Label>& labels);

}  // namespace engram
