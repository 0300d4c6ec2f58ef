// A data set of a user's own, in pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "utils/png.h"

namespace engram {

/// Twelve pictures of 8x8 pixels a class and side: a bright stripe in a row or column tells the
/// class, and `darkest` is the least of the backgrounds.
inline void put_stripes(const std::filesystem::path& folder, int darkest = 0) {
  const char* classes[] = {"left", "right", "top"};
  for (const char* side : {"train", "test"})
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 12; ++i) {
        std::vector<std::uint8_t> image(64, static_cast<std::uint8_t>(darkest + 5 * i));
        for (std::size_t k = 0; k < 8; ++k)
          image[c == 2 ? k : 8 * k + (c == 0 ? 0 : 7)] = 250;
        save_png(folder / side / classes[c] / fmt::format("{}.png", i), image, 8, 8, 1);
      }
}

}  // namespace engram
