// Folders of MNIST's and CIFAR's binary formats.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <zlib.h>

#include "benchmarks/cifar.h"
#include "benchmarks/idx.h"
#include "benchmarks/own/own_parts.h"

namespace engram::own {
namespace {

/// The files of a folder, by name.
std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool is_test(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.find("test") != std::string::npos || name.find("t10k") != std::string::npos;
}

/// The first four bytes of the content, plain or gzip: 0x801 for labels, 0x803 for images.
std::optional<std::uint32_t> magic_of(const fs::path& file) {
  const gzFile in = gzopen(file.c_str(), "rb");
  if (in == nullptr) return std::nullopt;
  std::array<unsigned char, 4> b{};
  const int n = gzread(in, b.data(), 4);
  gzclose_r(in);
  if (n != 4) return std::nullopt;
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

constexpr std::uint32_t kLabels = 0x801, kImages = 0x803;

fs::path only_file(const fs::path& folder, std::uint32_t magic, bool test) {
  fs::path found;
  for (const fs::path& file : files_of(folder)) {
    if (is_test(file) != test || magic_of(file) != magic) continue;
    if (!found.empty())
      refuse(folder, fmt::format("two files of {} {}: {} and {}; leave one",
                                 test ? "test" : "training", magic == kImages ? "images" : "labels",
                                 found.filename().string(), file.filename().string()));
    found = file;
  }
  if (found.empty())
    refuse(folder,
           fmt::format("no IDX file of {} {} (magic number 0x{:08x}); test files are those "
                       "with 'test' or 't10k' in their names",
                       test ? "test" : "training", magic == kImages ? "images" : "labels", magic));
  return found;
}

Part part_of(Images images) {
  Part part;
  part.shape = images.shape;
  part.pixels = std::move(images.pixels);
  part.labels.assign(images.labels.begin(), images.labels.end());
  return part;
}

void append(Part& to, Part more) {
  to.shape = more.shape;
  to.pixels.insert(to.pixels.end(), more.pixels.begin(), more.pixels.end());
  to.labels.insert(to.labels.end(), more.labels.begin(), more.labels.end());
}

}  // namespace

bool holds_idx(const fs::path& folder) {
  const auto files = files_of(folder);
  return std::any_of(files.begin(), files.end(), [](const fs::path& file) {
    const auto magic = magic_of(file);
    return magic == kLabels || magic == kImages;
  });
}

Found read_idx_folder(const fs::path& folder) {
  constexpr int kAnyByte = 256;
  Found found;
  std::vector<std::string> digests;
  for (const bool test : {false, true})
    (test ? found.test : found.train) = part_of(read_idx(
        only_file(folder, kImages, test), only_file(folder, kLabels, test), kAnyByte, &digests));
  found.digests = fmt::format("{}", fmt::join(digests, ""));
  return found;
}

bool holds_cifar(const fs::path& folder) {
  const auto files = files_of(folder);
  return std::any_of(files.begin(), files.end(),
                     [](const fs::path& file) { return file.extension() == ".bin"; });
}

Found read_cifar_folder(const fs::path& folder) {
  constexpr std::uintmax_t kTen = 3073, kHundred = 3074;  // bytes of a record
  std::vector<fs::path> files;
  for (const fs::path& file : files_of(folder))
    if (file.extension() == ".bin") files.push_back(file);
  const auto all_of_length = [&](std::uintmax_t record) {
    return std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
      return fs::file_size(file) > 0 && fs::file_size(file) % record == 0;
    });
  };
  const bool ten = all_of_length(kTen), hundred = all_of_length(kHundred);
  if (!ten && !hundred)
    refuse(folder,
           fmt::format("its .bin files are no whole number of CIFAR's records: {} bytes with "
                       "one label, or {} with a coarse and a fine one",
                       kTen, kHundred));
  if (ten && hundred)
    refuse(folder,
           fmt::format("its .bin files are a whole number of records of {} and of {} bytes: "
                       "nothing tells which",
                       kTen, kHundred));
  Found found;
  std::vector<std::string> digests;
  for (const fs::path& file : files) {
    const auto records = static_cast<std::size_t>(fs::file_size(file) / (ten ? kTen : kHundred));
    append(is_test(file) ? found.test : found.train,
           part_of(read_cifar(std::array{file}, ten ? CifarKind::Ten : CifarKind::Hundred, records,
                              &digests)));
  }
  found.digests = fmt::format("{}", fmt::join(digests, ""));
  return found;
}

}  // namespace engram::own
