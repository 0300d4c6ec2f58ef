// Writing goes through libpng's simplified interface, which reports failures by return values.
// Reading does not, for it would correct colours: there libpng jumps, over nothing of C++.
#include "utils/png.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstring>
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

std::uint32_t big_endian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

/// What libpng reads from, and says when it fails.
struct PngSource {
  const std::uint8_t* next = nullptr;
  std::size_t left = 0;
  std::array<char, 200> message{};
};

void read_some(png_structp png, png_bytep out, std::size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "truncated");
  std::memcpy(out, source->next, count);
  source->next += count, source->left -= count;
}

[[noreturn]] void leave(png_structp png, png_const_charp why) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source->message.data(), why, source->message.size() - 1);
  png_longjmp(png, 1);
}

/// Wrong colour profiles and the like, which the pixels do not depend on.
void ignore(png_structp, png_const_charp) {}

/// False with a message when it fails. libpng leaves this function by a jump: nothing in it may
/// have a destructor. `rows` has a pointer for every row of the picture.
bool decode(png_structp png, png_infop info, PngSource& source, const ImageShape& shape,
            png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &source, read_some);
  png_set_user_limits(png, static_cast<png_uint_32>(shape.width),
                      static_cast<png_uint_32>(shape.height));
  png_read_info(png, info);
  png_set_expand(png);  // palettes to colour, few bits to eight, transparent colours to alpha
  png_set_strip_alpha(png);
  if (shape.channels == 3) png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) !=
          static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.channels) ||
      png_get_image_height(png, info) != static_cast<png_uint_32>(shape.height))
    png_error(png, "decoded to an unexpected size");
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

ImageShape png_shape(std::span<const std::uint8_t> file) {
  constexpr std::array<std::uint8_t, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::size_t kHeader = 33;  // signature, and the first chunk with its checksum
  if (file.size() < kSignature.size() ||
      !std::equal(kSignature.begin(), kSignature.end(), file.begin()))
    throw Error(Fault::Data, "neither a PNG nor a JPEG file");
  if (file.size() < kHeader || std::memcmp(file.data() + 12, "IHDR", 4) != 0)
    throw Error(Fault::Data, "not a good PNG file: truncated, or without a header");
  const std::uint32_t width = big_endian(file, 16), height = big_endian(file, 20);
  const unsigned depth = file[24], colour = file[25];
  if (width < 1 || height < 1 || width > kLongestSide || height > kLongestSide)
    throw Error(Fault::Data,
                fmt::format("a picture of {}x{} pixels (height, width): sides are 1 to "
                            "{}",
                            height, width, kLongestSide));
  // Deflate shrinks at most about 1032-fold, and a byte holds eight pixels at most.
  constexpr std::uint64_t kMostPixelsPerByte = 8 * 1100;
  if (std::uint64_t{width} * height > kMostPixelsPerByte * file.size())
    throw Error(Fault::Data,
                fmt::format("a file of {} bytes cannot hold its {}x{} pixels (height, width)",
                            file.size(), height, width));
  if (depth == 16) throw Error(Fault::Data, "a PNG file with 16 bits a channel; save it with 8");
  return {static_cast<int>(height), static_cast<int>(width), (colour & 2U) != 0 ? 3 : 1};
}

void decode_png(std::span<const std::uint8_t> file, const ImageShape& shape,
                std::span<std::uint8_t> out) {
  const auto line =
      static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.channels);
  const auto height = static_cast<std::size_t>(shape.height);
  ENGRAM_INVARIANT((shape.channels == 1 || shape.channels == 3) && out.size() == line * height);
  PngSource source{file.data(), file.size(), {}};
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y)
    rows[y] = out.data() + y * line;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, leave, ignore);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  const bool good = info != nullptr && decode(png, info, source, shape, rows.data());
  if (png != nullptr) png_destroy_read_struct(&png, &info, nullptr);
  if (!good)
    throw Error(Fault::Data, fmt::format("not a good PNG file: {}", source.message.data()));
}

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
