// Pictures as PNG files: one image, or many laid out on a sheet to look at. The bytes depend on the
// pixels and on libpng alone: no time, no name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace engram {

/// The bytes of a PNG file of `pixels` [height, width, channels], rows from the top, 8 bits each;
/// one channel is grey, three are red, green and blue. Error(Internal) when the sizes disagree or
/// libpng would not take them.
std::vector<std::uint8_t> encode_png(std::span<const std::uint8_t> pixels, int height, int width,
                                     int channels);

/// The same as a file that is complete or absent (files.h). Error(CannotWrite) or Error(Io) when it
/// cannot be written.
void save_png(const std::filesystem::path& file, std::span<const std::uint8_t> pixels, int height,
              int width, int channels);

struct ImageGrid {
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
  int height = 0, width = 0, channels = 0;
};

constexpr std::uint8_t kWhiteGround = 255, kGreyGround = 128;

/// Lays `images` [count, height, width, channels] out in rows of `columns`, from left to right and
/// top to bottom, `gap` pixels of `ground` around each. A sheet is as wide as `columns` images even
/// when there are fewer. Error(Internal) when the sizes disagree.
ImageGrid tile_images(std::span<const std::uint8_t> images, int count, int height, int width,
                      int channels, int columns, int gap, std::uint8_t ground = kWhiteGround);

}  // namespace engram
