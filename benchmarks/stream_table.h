// The table of streams: the ways of cutting a data set into tasks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "benchmarks/dataset.h"
#include "benchmarks/stream.h"
#include "benchmarks/stream_options.h"

namespace engram {

struct StreamEntry {
  StreamKind kind;
  std::string_view name;     ///< = name_of(kind) = file name = value in a .cfg
  std::string_view summary;  ///< one line for `engram list`
  std::string_view paper;    ///< where it was first used
  std::unique_ptr<TaskStream> (*make)(const StreamOptions&, const Dataset&, std::uint64_t seed);
  std::vector<OptionInfo> (*options)();
};

/// In the order of StreamKind.
std::span<const StreamEntry> streams();

/// What `stream = auto` means for this data set: after mnist_mode for the MNIST-like sets,
/// attributes for sets that have them, else split.
StreamKind stream_kind(const StreamOptions&, std::string_view dataset);

/// The stream of the options over a loaded data set, wrapped for `protocol` and `cumul`. Everything
/// random in it follows from the options and the run's `seed`. Throws Error(Config) with a hint for
/// settings that do not fit the data set (more tasks than groups of classes, ragged tasks, ...).
std::unique_ptr<TaskStream> make_stream(const StreamOptions&, const Dataset&, std::uint64_t seed);

}  // namespace engram
