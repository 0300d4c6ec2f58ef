// libpng's simplified interface reports failures by return values, so that nothing jumps over C++.
#include "utils/png.h"

#include <algorithm>
#include <cstddef>
#include <png.h>
#include <string_view>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace {

/// libpng refuses longer sides unless told otherwise.
constexpr std::int64_t kLongestSide = 1'000'000;

void check_images(std::size_t found, int count, int height, int width, int channels) {
  const bool shaped = count >= 0 && height >= 1 && width >= 1 && height <= kLongestSide &&
                      width <= kLongestSide && (channels == 1 || channels == 3);
  if (shaped && found == static_cast<std::size_t>(count) * static_cast<std::size_t>(height) *
                             static_cast<std::size_t>(width) * static_cast<std::size_t>(channels))
    return;
  throw Error(Fault::Internal,
              fmt::format("{} bytes are not {} pictures of {}x{} pixels (height, width) with {} "
                          "channels: sides are 1 to {} pixels and channels 1 or 3",
                          found, count, height, width, channels, kLongestSide));
}

}  // namespace

std::vector<std::uint8_t> encode_png(std::span<const std::uint8_t> pixels, int height, int width,
                                     int channels) {
  check_images(pixels.size(), 1, height, width, channels);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<std::uint8_t> file(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t size = file.size();
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), width * channels,
                                nullptr) == 0)
    throw Error(Fault::Internal, fmt::format("libpng cannot encode a picture of {}x{} pixels: {}",
                                             width, height, image.message));
  file.resize(size);
  return file;
}

void save_png(const std::filesystem::path& file, std::span<const std::uint8_t> pixels, int height,
              int width, int channels) {
  const std::vector<std::uint8_t> bytes = encode_png(pixels, height, width, channels);
  save_text(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

ImageGrid tile_images(std::span<const std::uint8_t> images, int count, int height, int width,
                      int channels, int columns, int gap, std::uint8_t ground) {
  check_images(images.size(), count, height, width, channels);
  const std::int64_t rows = columns >= 1 ? (std::int64_t{count} + columns - 1) / columns : 0;
  const std::int64_t step_down = std::int64_t{height} + gap, step_right = std::int64_t{width} + gap;
  if (rows < 1 || gap < 0 || rows > kLongestSide || columns > kLongestSide ||
      rows * step_down + gap > kLongestSide || columns * step_right + gap > kLongestSide)
    throw Error(Fault::Internal,
                fmt::format("{} pictures of {}x{} pixels (height, width) in {} columns with gaps "
                            "of {} do not make a sheet of 1 to {} pixels a side",
                            count, height, width, columns, gap, kLongestSide));

  ImageGrid grid{{},
                 static_cast<int>(rows * step_down + gap),
                 static_cast<int>(columns * step_right + gap),
                 channels};
  const auto line = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  const auto sheet_line = static_cast<std::size_t>(grid.width) * static_cast<std::size_t>(channels);
  grid.pixels.assign(static_cast<std::size_t>(grid.height) * sheet_line, ground);
  auto from = images.begin();
  for (int i = 0; i < count; ++i) {
    const auto top = static_cast<std::size_t>(gap + i / columns * step_down);
    const auto left = static_cast<std::size_t>(gap + i % columns * step_right);
    for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y, from += line)
      std::copy_n(from, line,
                  grid.pixels.begin() +
                      static_cast<std::ptrdiff_t>((top + y) * sheet_line +
                                                  left * static_cast<std::size_t>(channels)));
  }
  return grid;
}

}  // namespace engram
