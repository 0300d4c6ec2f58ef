// What was written is decoded again, by libpng's other interface, and compared pixel by pixel.
#include "utils/png.h"

#include <algorithm>
#include <cstring>
#include <png.h>
#include <string>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/files.h"
#include "utils/rng.h"

namespace engram {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMuch = 1 << 24;

Bytes noise(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  Rng rng(seed);
  for (std::uint8_t& byte : out)
    byte = static_cast<std::uint8_t>(rng.below(256));
  return out;
}

struct Decoded {
  Bytes pixels;
  int height = 0, width = 0, channels = 0, bits = 0;
};

struct Source {
  const Bytes& file;
  std::size_t at = 0;
};

void take(png_structp png, png_bytep to, png_size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->file.size() - source->at) png_error(png, "too short");
  std::memcpy(to, source->file.data() + source->at, size);
  source->at += size;
}

/// A bad file ends the test program: libpng's default handler aborts without a jump buffer.
Decoded decode(const Bytes& file) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  Source source{file};
  png_set_read_fn(png, &source, take);
  png_read_info(png, info);
  Decoded out{{},
              static_cast<int>(png_get_image_height(png, info)),
              static_cast<int>(png_get_image_width(png, info)),
              png_get_channels(png, info),
              png_get_bit_depth(png, info)};
  const std::size_t line = png_get_rowbytes(png, info);
  out.pixels.resize(static_cast<std::size_t>(out.height) * line);
  for (int y = 0; y < out.height; ++y)
    png_read_row(png, out.pixels.data() + static_cast<std::size_t>(y) * line, nullptr);
  png_read_end(png, info);
  EXPECT_EQ(source.at, file.size()) << "bytes after the end";
  png_destroy_read_struct(&png, &info, nullptr);
  return out;
}

std::vector<std::string> chunks_of(const Bytes& file) {
  std::vector<std::string> out;
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t length = static_cast<std::size_t>(file[at]) << 24 | file[at + 1] << 16 |
                               file[at + 2] << 8 | file[at + 3];
    out.emplace_back(reinterpret_cast<const char*>(&file[at + 4]), 4);
    at += length + 12;
  }
  return out;
}

class Png : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Channels, Png, testing::Values(1, 3));

TEST_P(Png, KeepsEveryPixel) {
  const int channels = GetParam();
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 17}, {13, 1}, {28, 28}, {200, 301}}) {
    const Bytes pixels = noise(static_cast<std::size_t>(height * width * channels), 1);
    const Decoded back = decode(encode_png(pixels, height, width, channels));
    EXPECT_EQ(back.height, height);
    EXPECT_EQ(back.width, width);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.bits, 8);
    EXPECT_EQ(back.pixels, pixels) << height << "x" << width;
  }
}

TEST_P(Png, GivesTheSameBytesAndNoTime) {
  const int channels = GetParam();
  const Bytes pixels = noise(static_cast<std::size_t>(20 * 30 * channels), 2);
  const Bytes file = encode_png(pixels, 20, 30, channels);
  EXPECT_EQ(file, encode_png(pixels, 20, 30, channels));
  const auto chunks = chunks_of(file);
  EXPECT_EQ(chunks.front(), "IHDR");
  EXPECT_EQ(chunks.back(), "IEND");
  for (const std::string unwanted : {"tIME", "tEXt", "zTXt", "iTXt", "eXIf"})
    EXPECT_EQ(std::count(chunks.begin(), chunks.end(), unwanted), 0) << unwanted;
}

TEST_P(Png, FilesHoldWhatWasEncoded) {
  const int channels = GetParam();
  const TempFolder folder;
  const Bytes pixels = noise(static_cast<std::size_t>(9 * 7 * channels), 3);
  const auto file = folder / "new/folder/picture.png";
  save_png(file, noise(pixels.size(), 4), 9, 7, channels);
  save_png(file, pixels, 9, 7, channels);  // over the first
  EXPECT_EQ(decode(read_file(file, kMuch)).pixels, pixels);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}), 1);
}

TEST(PngSizes, WrongOnesAreRefused) {
  const Bytes pixels(24);
  const TempFolder folder;
  const auto refuse = [&](int height, int width, int channels) {
    EXPECT_EQ(fault_of([&] { encode_png(pixels, height, width, channels); }, "24 bytes"),
              Fault::Internal);
    EXPECT_THROW(save_png(folder / "a.png", pixels, height, width, channels), Error);
  };
  refuse(4, 5, 1), refuse(4, 7, 1), refuse(2, 3, 3), refuse(2, 3, 4), refuse(3, 4, 2);
  refuse(0, 24, 1), refuse(-4, -6, 1), refuse(24, 0, 1), refuse(2, 12, 0);
  refuse(1'000'001, 24, 1);
  EXPECT_THROW(encode_png(Bytes(), 0, 0, 1), Error);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(PngFiles, ThatCannotBeWrittenLeaveNothingBehind) {
  const TempFolder folder;
  const Bytes pixels(12);
  // A file stands where the folder should be, and a folder where the file should be.
  folder.write("blocked", "text");
  std::filesystem::create_directories(folder / "taken.png/inside");
  const auto save = [&](std::string_view name) {
    return [&folder, &pixels, name] { save_png(folder / name, pixels, 2, 2, 3); };
  };
  EXPECT_EQ(fault_of(save("blocked/a.png"), "blocked/a.png"), Fault::CannotWrite);
  EXPECT_EQ(fault_of(save("taken.png"), "taken.png"), Fault::CannotWrite);
  EXPECT_EQ(folder.entries(), 2u);
  EXPECT_EQ(TempFolder::read(folder / "blocked"), "text");
}

TEST_P(Png, SheetsRunFromLeftToRightAndDown) {
  const int channels = GetParam(), count = 7, height = 3, width = 5, columns = 3, gap = 2;
  const int size = height * width * channels;
  const Bytes images = noise(static_cast<std::size_t>(count * size), 5);
  const ImageGrid sheet =
      tile_images(images, count, height, width, channels, columns, gap, kGreyGround);
  ASSERT_EQ(sheet.height, 3 * 3 + 4 * 2);
  ASSERT_EQ(sheet.width, 3 * 5 + 4 * 2);
  ASSERT_EQ(sheet.channels, channels);
  ASSERT_EQ(sheet.pixels.size(),
            static_cast<std::size_t>(sheet.height * sheet.width * sheet.channels));
  // Asked from the sheet's side: which image, if any, is under a pixel?
  for (int y = 0; y < sheet.height; ++y)
    for (int x = 0; x < sheet.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const int row = y / (height + gap), column = x / (width + gap);
        const int down = y % (height + gap) - gap, right = x % (width + gap) - gap;
        const int i = row * columns + column;
        const bool ground = down < 0 || right < 0 || row > 2 || column > 2 || i >= count;
        const int expected = ground ? 128
                                    : images[static_cast<std::size_t>(
                                          i * size + (down * width + right) * channels + c)];
        ASSERT_EQ(sheet.pixels[static_cast<std::size_t>((y * sheet.width + x) * channels + c)],
                  expected)
            << y << " " << x << " " << c;
      }
  EXPECT_EQ(decode(encode_png(sheet.pixels, sheet.height, sheet.width, channels)).pixels,
            sheet.pixels);
}

TEST(PngSheets, OfOneColumnWithoutGapAreTheImages) {
  const Bytes images = noise(4 * 6, 6);
  const ImageGrid sheet = tile_images(images, 4, 2, 3, 1, 1, 0);
  EXPECT_EQ(sheet.pixels, images);
  EXPECT_EQ(sheet.height, 8);
  EXPECT_EQ(sheet.width, 3);
}

TEST(PngSheets, KeepTheirWidthAndAreWhite) {
  const ImageGrid sheet = tile_images(Bytes{7}, 1, 1, 1, 1, 3, 0);
  EXPECT_EQ(sheet.pixels, (Bytes{7, 255, 255}));
}

TEST(PngSheets, WrongSizesAreRefused) {
  const Bytes images(24);
  EXPECT_EQ(fault_of([&] { tile_images(images, 5, 2, 2, 1, 2, 1); }, "24 bytes"), Fault::Internal);
  EXPECT_EQ(fault_of([&] { tile_images(images, 6, 2, 2, 1, 0, 1); }, "0 columns"), Fault::Internal);
  EXPECT_EQ(fault_of([&] { tile_images(images, 6, 2, 2, 1, 2, -1); }, "gaps of -1"),
            Fault::Internal);
  EXPECT_EQ(fault_of([&] { tile_images(Bytes(), 0, 2, 2, 1, 2, 1); }, "0 pictures"),
            Fault::Internal);
  for (const int huge : {600'000, 2'000'000'000}) {
    EXPECT_THROW(tile_images(images, 6, 2, 2, 1, 2, huge), Error);
    EXPECT_THROW(tile_images(images, 6, 2, 2, 1, huge, 0), Error);
  }
}

}  // namespace
}  // namespace engram
