#include "benchmarks/cifar.h"

#include <fmt/format.h>

#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace {

constexpr int kSide = 32, kChannels = 3;
constexpr std::size_t kPlane = kSide * kSide, kPixels = kPlane * kChannels;

struct LabelByte {
  const char* name;
  int classes;
};

void check_label(const std::filesystem::path& file, std::size_t record, std::uint8_t found,
                 const LabelByte& expected) {
  if (found < expected.classes) return;
  throw Error(Fault::Data, fmt::format("{}: {} {} of record {}: expected 0 to {}", file.string(),
                                       expected.name, found, record, expected.classes - 1));
}

void append_interleaved(const std::uint8_t* planar, std::vector<std::uint8_t>& out) {
  const std::size_t begin = out.size();
  out.resize(begin + kPixels);
  std::uint8_t* to = out.data() + begin;
  for (std::size_t p = 0; p < kPlane; ++p)
    for (std::size_t c = 0; c < kChannels; ++c)
      *to++ = planar[c * kPlane + p];
}

}  // namespace

Images read_cifar(std::span<const std::filesystem::path> files, CifarKind kind, std::size_t records,
                  std::vector<std::string>* digests) {
  std::vector<LabelByte> label_bytes{{"label", 10}};
  if (kind == CifarKind::Hundred) label_bytes = {{"coarse label", 20}, {"fine label", 100}};
  const std::size_t record_bytes = label_bytes.size() + kPixels;

  Images out;
  out.shape = {kSide, kSide, kChannels};
  out.pixels.reserve(files.size() * records * kPixels);
  for (const std::filesystem::path& file : files) {
    const std::vector<std::uint8_t> bytes = read_file(file, records * record_bytes + 1);
    if (bytes.size() != records * record_bytes)
      throw Error(Fault::Data,
                  fmt::format("{}: {}: expected {} records of {} bytes, that is {} bytes, found {}",
                              file.string(),
                              bytes.size() < records * record_bytes ? "truncated" : "too long",
                              records, record_bytes, records * record_bytes, bytes.size()));
    for (std::size_t r = 0; r < records; ++r) {
      const std::uint8_t* record = bytes.data() + r * record_bytes;
      for (std::size_t k = 0; k < label_bytes.size(); ++k)
        check_label(file, r, record[k], label_bytes[k]);
      out.labels.push_back(record[label_bytes.size() - 1]);
      append_interleaved(record + label_bytes.size(), out.pixels);
    }
    if (digests) digests->push_back(sha256(bytes));
  }
  return out;
}

}  // namespace engram
