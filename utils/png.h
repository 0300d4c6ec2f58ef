// Pictures as PNG files: one image, or many laid out on a sheet to look at. The bytes depend on the
// pixels and on libpng alone: no time, no name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "utils/shape.h"

namespace engram {

/// What the header of a PNG file says of its picture: one channel when it is grey, three in colour
/// (or by a palette), transparency left out. Throws Error(Data) when the file is no PNG, has 16
/// bits a channel, or claims more pixels than its length can hold.
ImageShape png_shape(std::span<const std::uint8_t> file);

/// Decodes a PNG file that nobody has vouched for into `out` [height, width, channels]: the bytes
/// as stored, without correction of gamma or colour; transparency is dropped. `shape` has the
/// height and width of png_shape(file), and one or three channels; grey becomes colour, not the
/// reverse. Throws Error(Data) when the file is truncated or corrupt.
void decode_png(std::span<const std::uint8_t> file, const ImageShape& shape,
                std::span<std::uint8_t> out);

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
