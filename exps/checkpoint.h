// Everything that a resumed run needs to reach the same bits: weights, state, optimiser,
// strategies, the cursor and the record so far. One file, written aside and renamed.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exps/record.h"
#include "learners/optimizer.h"
#include "learners/progress.h"
#include "learners/rule.h"
#include "learners/strategy.h"
#include "models/network.h"

namespace engram {

/// The parts of a run that a checkpoint saves from and loads into.
struct RunParts {
  Network& net;
  Optimizer& optimizer;
  Rule& rule;
  StrategyList& strategies;
  Cursor& cursor;
  RunRecord& record;
  std::vector<std::span<real>> looks{};  ///< what is remembered of earlier rows (exps/looks/)
  std::vector<std::span<real>> agent{};  ///< what an agent remembers
  std::vector<double>* world = nullptr;  ///< and the world that it is in
};

void save_checkpoint(const std::filesystem::path& file, const RunParts&);
/// Error(Data) when the file is damaged or its arrays do not fit the parts.
void load_checkpoint(const std::filesystem::path& file, const RunParts&);
struct CheckpointHead {
  std::string config_text;  ///< Config::resolved_text() of the run that it belongs to
  std::string data_sha256;  ///< of what that run learns, "" when it recorded none
};
/// Error(Data) when unreadable.
CheckpointHead peek_checkpoint(const std::filesystem::path& file);

}  // namespace engram
