// Where experiments are read from and where results go.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "utils/config.h"

namespace engram {

/// --exps, $ENGRAM_EXPS, exps/ here if it holds .cfg files, $ENGRAM_HOME/exps, what was installed
/// with this program, or the folder that it was built from.
std::filesystem::path experiments_folder(const std::optional<std::string>& from_command_line);

/// --out, $ENGRAM_HOME/results where that can be written to, or results/ here. Relative to the
/// working directory if inside.
std::filesystem::path results_folder(const std::optional<std::string>& from_command_line);
/// The same for who only reads: where there is no results/ here, either, what is in $ENGRAM_HOME.
std::filesystem::path folder_of_old_results(const std::optional<std::string>& from_command_line);

/// A path as it is, or the folder of that name in `results`. Error(MissingInput), said by `command`
/// and with a suggestion, when there is neither.
std::filesystem::path results_place(const std::string& what, const std::filesystem::path& results,
                                    const std::string& command);

/// "exps/permuted.cfg:perm_mlp1" -> file and section; a bare .cfg file -> all its sections.
struct CfgReference {
  std::filesystem::path file;
  std::string section;  ///< or ""
};
std::optional<CfgReference> as_cfg_reference(const std::string& name);

/// The experiments of one file; with those of `folder` when a base of the file is not in it.
ExperimentBook load_cfg_file(const std::filesystem::path& file,
                             const std::filesystem::path& folder);

/// The resolved settings of NAME, which may also be FILE.cfg:SECTION.
Config resolve_name(const std::string& name, const std::filesystem::path& folder,
                    const std::vector<std::string>& overrides, std::string* experiment);

}  // namespace engram
