#include "exps/commands/places.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "exps/results_file.h"
#include "utils/error.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

std::optional<fs::path> from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return std::nullopt;
  return fs::path(value);
}

bool is_cfg(const fs::path& file) {
  return file.extension() == ".cfg" && file.filename().string().front() != '.';
}

bool holds_cfg_files(const fs::path& folder) {
  std::error_code ignored;
  fs::directory_iterator files(folder, ignored);
  return std::any_of(begin(files), end(files), [](const auto& e) { return is_cfg(e.path()); });
}

/// "results" rather than "/home/me/engram/results" when we stand in /home/me/engram: shorter to
/// read, and the recorded sources of settings do not depend on where the house stands.
fs::path shortened(const fs::path& path) {
  std::error_code ignored;
  const fs::path relative = fs::proximate(path, ignored);
  return !ignored && !relative.empty() && *relative.begin() != ".." ? relative : path;
}

/// Beside an installed program: PREFIX/bin/engram, PREFIX/share/engram/exps.
fs::path installed_experiments() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "share/engram/exps";
}

/// A folder, or the one that it would be made in.
bool can_be_written(const fs::path& folder) {
  std::error_code ignored;
  const fs::path there = fs::exists(folder, ignored) ? folder : folder.parent_path();
  return fs::is_directory(there, ignored) && ::access(there.c_str(), W_OK) == 0;
}

/// Pictures and pages lie in results/, too.
bool holds_runs(const fs::path& folder) {
  std::error_code ignored;
  const auto quietly = fs::directory_options::skip_permission_denied;
  fs::recursive_directory_iterator entry(folder, quietly, ignored);
  for (; entry != end(entry); entry.increment(ignored))
    if (is_results_file(entry->path())) return true;
  return false;
}

}  // namespace

fs::path experiments_folder(const std::optional<std::string>& from_command_line) {
  if (from_command_line) return *from_command_line;
  if (const auto own = from_environment("ENGRAM_EXPS")) return *own;
  if (holds_cfg_files("exps")) return "exps";
  if (const auto home = from_environment("ENGRAM_HOME"); home && holds_cfg_files(*home / "exps"))
    return shortened(*home / "exps");
  if (const fs::path installed = installed_experiments(); holds_cfg_files(installed))
    return installed;
  return fs::path(ENGRAM_SOURCE_DIR) / "exps";
}

fs::path results_folder(const std::optional<std::string>& from_command_line) {
  if (from_command_line) return *from_command_line;
  const auto home = from_environment("ENGRAM_HOME");
  // A checkout of somebody else's is for reading.
  if (home && can_be_written(*home / "results")) return shortened(*home / "results");
  return "results";
}

fs::path folder_of_old_results(const std::optional<std::string>& from_command_line) {
  const fs::path usual = results_folder(from_command_line);
  const auto home = from_environment("ENGRAM_HOME");
  std::error_code ignored;
  if (from_command_line || !home || fs::exists(usual, ignored)) return usual;
  return fs::is_directory(*home / "results", ignored) ? shortened(*home / "results") : usual;
}

fs::path results_place(const std::string& what, const fs::path& results,
                       const std::string& command) {
  std::error_code ignored;
  if (fs::exists(what, ignored)) return what;
  if (!what.empty() && fs::exists(results / what, ignored)) return results / what;
  std::vector<std::string> known;
  for (const auto& entry : fs::directory_iterator(results, ignored))
    if (entry.is_directory(ignored) && holds_runs(entry.path()))
      known.push_back(entry.path().filename().string());
  std::sort(known.begin(), known.end());
  std::string hint = known.empty() ? "; 'engram run' makes some" : suggestion(what, known);
  if (known.size() > 30 && nearest(what, known).empty()) hint = "; 'engram list results'";
  throw Error(Fault::MissingInput, fmt::format("{}: there are no results '{}', here or in {}{}",
                                               command, what, results.string(), hint));
}

std::optional<CfgReference> as_cfg_reference(const std::string& name) {
  if (name.ends_with(".cfg")) return CfgReference{name, ""};
  if (const auto colon = name.rfind(".cfg:"); colon != std::string::npos)
    return CfgReference{name.substr(0, colon + 4), name.substr(colon + 5)};
  return std::nullopt;
}

ExperimentBook load_cfg_file(const fs::path& file, const fs::path& folder) {
  std::vector<fs::path> files{file};
  ExperimentBook alone = ExperimentBook::load(files);
  const auto names = alone.names();
  const bool is_closed = std::all_of(
      alone.experiments().begin(), alone.experiments().end(), [&](const auto& experiment) {
        return experiment.base.empty() ||
               std::find(names.begin(), names.end(), experiment.base) != names.end();
      });
  if (is_closed) return alone;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (is_cfg(entry.path()) && !fs::equivalent(entry.path(), file, ignored))
      files.push_back(entry.path());
  std::sort(files.begin() + 1, files.end());
  return ExperimentBook::load(files);
}

Config resolve_name(const std::string& name, const fs::path& folder,
                    const std::vector<std::string>& overrides, std::string* experiment) {
  const auto reference = as_cfg_reference(name);
  if (!reference) {
    *experiment = name;
    return ExperimentBook::load(folder).resolve(name, overrides);
  }
  const ExperimentBook book = load_cfg_file(reference->file, folder);
  if (reference->section.empty())
    throw Error(Fault::Usage, name + ": which experiment? Write FILE.cfg:NAME");
  *experiment = reference->section;
  return book.resolve(*experiment, overrides);
}

}  // namespace engram
