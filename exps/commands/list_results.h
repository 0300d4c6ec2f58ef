// `engram list results`.
#pragma once

#include <filesystem>

namespace engram {

/// Prints what lies below the folder, one line per experiment; returns the exit code.
int list_results(const std::filesystem::path& folder);

}  // namespace engram
