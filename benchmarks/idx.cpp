#include "benchmarks/idx.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace {

constexpr std::uint32_t kLabelMagic = 0x801, kImageMagic = 0x803;
constexpr std::uint32_t kMaxSide = 4096;  // keeps count * height * width below 2^56

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(Fault::Data, file.string() + ": " + why);
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes, std::size_t word) {
  const std::uint8_t* b = bytes.data() + 4 * word;
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 |
         std::uint32_t{b[3]};
}

/// Checks magic number and length of a header of 1 + `dimensions` words.
void check_header(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                  std::uint32_t magic, std::size_t dimensions) {
  const char* what = magic == kImageMagic ? "IDX images" : "IDX labels";
  const std::size_t header = 4 * (1 + dimensions);
  if (bytes.size() < header)
    refuse(file, fmt::format("truncated: {} begin with a header of {} bytes, the file has {}", what,
                             header, bytes.size()));
  const std::uint32_t found = big_endian(bytes, 0);
  if (found == magic) return;
  const bool swapped = found == kImageMagic || found == kLabelMagic;
  refuse(file, fmt::format("not {}: expected magic number 0x{:08x}, found 0x{:08x}{}", what, magic,
                           found, swapped ? " (are images and labels swapped?)" : ""));
}

void check_size(const std::filesystem::path& file, std::uint64_t found, std::uint64_t expected,
                const std::string& shape) {
  if (found == expected) return;
  refuse(file, fmt::format("{}: the header says {}, that is {} bytes, found {}",
                           found < expected ? "truncated" : "too long", shape, expected, found));
}

}  // namespace

Images read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                int classes, std::vector<std::string>* digests, std::size_t most_bytes) {
  const std::vector<std::uint8_t> image_bytes = read_file(images, most_bytes);
  check_header(images, image_bytes, kImageMagic, 3);
  const std::uint32_t count = big_endian(image_bytes, 1);
  const std::uint32_t height = big_endian(image_bytes, 2), width = big_endian(image_bytes, 3);
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide)
    refuse(images, fmt::format("images of {}x{} pixels: expected sides of 1 to {}", height, width,
                               kMaxSide));
  check_size(images, image_bytes.size(), 16 + std::uint64_t{count} * height * width,
             fmt::format("{} images of {}x{}", count, height, width));

  const std::vector<std::uint8_t> label_bytes = read_file(labels, most_bytes);
  check_header(labels, label_bytes, kLabelMagic, 1);
  const std::uint32_t label_count = big_endian(label_bytes, 1);
  check_size(labels, label_bytes.size(), 8 + std::uint64_t{label_count},
             fmt::format("{} labels", label_count));
  if (label_count != count)
    refuse(labels, fmt::format("{} labels, but {} has {} images", label_count,
                               images.filename().string(), count));
  const auto bad = std::find_if(label_bytes.begin() + 8, label_bytes.end(),
                                [classes](std::uint8_t label) { return label >= classes; });
  if (bad != label_bytes.end())
    refuse(labels, fmt::format("label {} of example {}: expected 0 to {}", *bad,
                               bad - label_bytes.begin() - 8, classes - 1));

  if (digests) {
    digests->push_back(sha256(image_bytes));
    digests->push_back(sha256(label_bytes));
  }
  Images out;
  out.shape = {static_cast<int>(height), static_cast<int>(width), 1};
  out.pixels.assign(image_bytes.begin() + 16, image_bytes.end());
  out.labels.assign(label_bytes.begin() + 8, label_bytes.end());
  return out;
}

}  // namespace engram
