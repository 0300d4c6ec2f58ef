// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of one or two label bytes
// and 3072 pixel bytes, a 32x32 plane for each of red, green and blue.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"

namespace engram {

/// One label byte (CIFAR-10), or a coarse one and the fine one that we use (CIFAR-100).
enum class CifarKind { Ten, Hundred };

/// Reads the files one after the other, each of exactly `records` records, into 32x32x3 images with
/// interleaved channels. Appends the SHA-256 of the content of each to `digests` unless it is null.
/// Throws Error(Data) naming file, expected and found for a wrong size or an impossible label;
/// Error(MissingInput) when a file is absent.
Images read_cifar(std::span<const std::filesystem::path> files, CifarKind kind, std::size_t records,
                  std::vector<std::string>* digests = nullptr);

}  // namespace engram
