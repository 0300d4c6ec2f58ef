#include "exps/recorded_settings.h"

#include <set>
#include <sstream>

#include <fmt/format.h>

#include "exps/experiment.h"

namespace engram {
namespace {

using Texts = std::map<std::string, std::string>;

const Texts& defaults() {
  static const Texts known = [] {
    Texts all;
    for (const OptionGroup& group : option_groups())
      for (const OptionInfo& option : group.options)
        all[option.key] = option.value;
    return all;
  }();
  return known;
}

std::string value_in(const Texts& settings, const std::string& key) {
  if (const auto said = settings.find(key); said != settings.end()) return said->second;
  if (const auto usual = defaults().find(key); usual != defaults().end()) return usual->second;
  return "(unknown)";
}

}  // namespace

Texts parse_settings(std::string_view resolved_text) {
  Texts settings;
  std::istringstream lines{std::string(resolved_text)};
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    if (equals != std::string::npos) settings[line.substr(0, equals)] = line.substr(equals + 3);
  }
  return settings;
}

std::string settings_difference(std::string_view recorded, std::string_view wanted) {
  const Texts was = parse_settings(recorded), is = parse_settings(wanted);
  std::set<std::string> keys;
  for (const Texts* side : {&was, &is})
    for (const auto& [key, value] : *side)
      keys.insert(key);
  for (const std::string& key : keys)
    if (const auto a = value_in(was, key), b = value_in(is, key); a != b)
      return fmt::format("{} = {} instead of {}", key, a, b);
  return "";
}

std::string chosen_settings(std::string_view resolved_text) {
  std::string out;
  for (const auto& [key, value] : parse_settings(resolved_text)) {
    const auto usual = defaults().find(key);
    if (usual == defaults().end() || usual->second != value) out += key + " = " + value + "\n";
  }
  return out;
}

}  // namespace engram
