// Taking named files out of a .tar.gz, and nothing else.
#pragma once

#include <filesystem>
#include <span>

#include "benchmarks/catalog.h"

namespace engram {

/// Writes each expected file of the archive to `folder`/NAME.part, after checking its size and
/// digest. Entries are recognised by the last part of their path; links, entries with "..",
/// absolute paths and everything else in the archive are passed over: nothing else can be written.
/// Throws Error(Data), leaving no part behind, when one is missing or wrong or the archive is
/// corrupt.
void unpack_archive(const std::filesystem::path& archive, std::span<const DataFile> expected,
                    const std::filesystem::path& folder);

}  // namespace engram
