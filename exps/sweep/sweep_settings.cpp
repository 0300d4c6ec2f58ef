#include "exps/sweep/sweep_settings.h"

#include <vector>

#include <fmt/format.h>

#include "exps/experiment.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::string_view kGrid = "grid.";
constexpr std::string_view kSelection = "selection";

bool is_sweep_key(std::string_view key) {
  return key.starts_with(kGrid) || key == kSelection || key.starts_with("selection_");
}

}  // namespace

void check_axis(const GridAxis& axis) {
  std::vector<std::string> known;
  for (const OptionGroup& group : option_groups())
    for (const OptionInfo& option : group.options) {
      if (group.name == kSweepGroup) continue;
      known.push_back(option.key);
      known.insert(known.end(), option.aliases.begin(), option.aliases.end());
    }
  for (const std::string& key : known)
    if (key == axis.key) return;
  const Fault fault = axis.source == "--grid" ? Fault::Usage : Fault::Config;
  std::vector<std::string> endings;
  for (const std::string& key : known)
    if (key.ends_with("." + axis.key)) endings.push_back(key);
  const std::string near = nearest(axis.key, known);
  const std::string hint = !near.empty() ? "; did you mean '" + near + "'?"
                           : !endings.empty()
                               ? fmt::format("; did you mean {}?", fmt::join(endings, " or "))
                               : "; 'engram list options'";
  throw Error(fault, axis.source + ": there is no option '" + axis.key + "' for a grid" + hint);
}

SweepSettings take_sweep_settings(Config& config) {
  Config own = config.take_out(is_sweep_key);
  SweepSettings out;
  Config grids = own.take_out([](std::string_view key) { return key.starts_with(kGrid); });
  for (const auto& [key, value] : grids.values()) {
    if (value.text.empty()) continue;  // takes a grid away that a base has
    out.grid.push_back(grid_axis(key.substr(kGrid.size()), value.text, value.source));
    check_axis(out.grid.back());
  }
  out.options = own.read<SweepOptions>();
  own.require_all_used(list_options<SweepOptions>());
  return out;
}

}  // namespace engram
