// RunRecord <-> HDF5, one self-describing file per run; results/README.md documents the schema.
#pragma once

#include <filesystem>
#include <optional>

#include "exps/metrics.h"
#include "exps/record.h"
#include "utils/h5.h"

namespace engram {

constexpr int kResultsSchema = 1;

/// Writes the whole file aside and renames it. Metrics are computed with `definition`.
void save_results(const std::filesystem::path& file, const RunRecord&, ForgettingDefinition);
/// Error(Data) for foreign, truncated or newer files, naming what is wrong.
RunRecord load_results(const std::filesystem::path& file);

/// The same within an open file: checkpoints carry the record so far.
void write_record(const h5::Group& group, const RunRecord&, ForgettingDefinition);
RunRecord read_record(const h5::Group& group);
/// The SHA-256 of the data that a written record tells of, "" when it does not.
std::string recorded_data(const h5::Group& record);

/// By its name: .h5, but neither a checkpoint nor weights.
bool is_results_file(const std::filesystem::path& file);

/// The little that `run` must know about an existing file, without reading all of it.
struct ResultsHead {
  std::string experiment;
  std::uint64_t seed = 0;
  bool complete = false;
  std::string config_text;
  std::string data_sha256;  ///< "" when it recorded none
};
std::optional<ResultsHead> peek_results(const std::filesystem::path& file);  ///< empty when absent

}  // namespace engram
