// Finds the experiments that a command line names, in the folder of experiments or in files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "utils/config.h"

namespace engram {

/// An experiment's name and the book to look it up in.
struct WantedExperiment {
  std::string name;
  const ExperimentBook* book;
};

/// Keeps the books that the names refer to.
class ExperimentLibrary {
 public:
  explicit ExperimentLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Each of NAME, FILE.cfg:NAME and FILE.cfg (all its experiments) once, in their order; those of
  /// quickstart.cfg for no names. Error(MissingInput) for a file that holds none.
  std::vector<WantedExperiment> find(const std::vector<std::string>& names);

 private:
  const ExperimentBook& folder_book();

  std::filesystem::path folder_;
  std::vector<std::unique_ptr<ExperimentBook>> books_;
  const ExperimentBook* folder_book_ = nullptr;
};

}  // namespace engram
