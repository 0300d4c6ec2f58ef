#include "exps/commands/experiment_library.h"

#include <algorithm>

#include "exps/commands/places.h"
#include "utils/error.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kQuickstart = "quickstart.cfg";

void add(const WantedExperiment& wanted, std::vector<WantedExperiment>& out) {
  const auto same = [&](const WantedExperiment& w) {
    return w.name == wanted.name && w.book == wanted.book;
  };
  if (std::none_of(out.begin(), out.end(), same)) out.push_back(wanted);
}

/// All experiments of one file of the book; names that begin with '_' are bases only.
void add_sections(const ExperimentBook& book, const fs::path& file,
                  std::vector<WantedExperiment>& out) {
  const std::size_t before = out.size();
  for (const auto& experiment : book.experiments())
    if (fs::path(experiment.file).filename() == file.filename() && experiment.name[0] != '_')
      add({experiment.name, &book}, out);
  if (out.size() == before)
    throw Error(Fault::MissingInput, "there are no experiments in '" + file.string() + "'");
}

}  // namespace

std::vector<WantedExperiment> ExperimentLibrary::find(const std::vector<std::string>& names) {
  std::vector<WantedExperiment> out;
  if (names.empty()) add_sections(folder_book(), kQuickstart, out);
  for (const std::string& name : names) {
    const auto reference = as_cfg_reference(name);
    if (!reference) {
      add({name, &folder_book()}, out);
      continue;
    }
    const auto& book = *books_.emplace_back(
        std::make_unique<ExperimentBook>(load_cfg_file(reference->file, folder_)));
    if (reference->section.empty())
      add_sections(book, reference->file, out);
    else
      add({reference->section, &book}, out);
  }
  return out;
}

const ExperimentBook& ExperimentLibrary::folder_book() {
  if (!folder_book_)
    folder_book_ =
        books_.emplace_back(std::make_unique<ExperimentBook>(ExperimentBook::load(folder_))).get();
  return *folder_book_;
}

}  // namespace engram
