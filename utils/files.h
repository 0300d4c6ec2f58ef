// Whole files in, whole files out. A file that Engram writes is complete or absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace engram {

/// The content of a file, gunzipped when it is gzip (by its first two bytes, not its name).
/// Throws Error(MissingInput) when absent, Error(Data) when truncated or corrupt, or when the
/// content is larger than `max_bytes` (a guard against decompression bombs and wrong files).
std::vector<std::uint8_t> read_file(const std::filesystem::path& file, std::size_t max_bytes);

/// Calls fill(temporary path beside `file`), syncs what it wrote and renames it over `file`.
/// Removes the temporary when anything throws. Error(CannotWrite) when the folder cannot be
/// created or written, Error(Io) when the disk is full.
void save_atomically(const std::filesystem::path& file,
                     const std::function<void(const std::filesystem::path&)>& fill);
void save_text(const std::filesystem::path& file, std::string_view text);

}  // namespace engram
