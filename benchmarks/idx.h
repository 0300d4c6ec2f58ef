// IDX, the format of MNIST and of the data sets that stand in for it: a magic number that gives the
// number of dimensions, the sizes as big-endian 32-bit words, then the bytes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"

namespace engram {

/// Reads a pair of image and label files, plain or gzip. Appends the SHA-256 of the content of each
/// to `digests` unless it is null. Throws Error(Data) naming the file, what was expected and what
/// was found when a file is truncated, oversized, mislabelled or something else altogether;
/// Error(MissingInput) when one is absent. No file may unpack to more than `most_bytes`.
Images read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                int classes, std::vector<std::string>* digests = nullptr,
                std::size_t most_bytes = std::size_t{4} << 30);

}  // namespace engram
