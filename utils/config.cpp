#include "utils/config.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

namespace engram {
namespace {

constexpr std::size_t kMaxListed = 30;  // longer lists of known names help nobody

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(Fault::Config, where + ": " + what);
}

std::string short_suggestion(std::string_view wrong, std::span<const std::string> known) {
  if (known.size() > kMaxListed && nearest(wrong, known).empty()) return "";
  return suggestion(wrong, known);
}

/// "lambda" is far from "ewc.lambda" letter by letter, but near in meaning: so are "batch" and
/// "batch_size". What this experiment reads comes first, what other parts would read last.
std::string key_hint(const std::string& key, const std::vector<Config::Entry>& resolved,
                     std::span<const std::string> known) {
  std::vector<std::string> read, others;
  for (const Config::Entry& entry : resolved)
    if (entry.key.ends_with("." + key) || entry.key.starts_with(key + "_"))
      read.push_back("'" + entry.key + "'");
  for (const std::string& name : known)
    if (name.ends_with("." + key)) others.push_back("'" + name + "'");
  if (read.empty() && nearest(key, known).empty()) read = others;
  return read.empty() ? short_suggestion(key, known)
                      : fmt::format("; did you mean {}?", fmt::join(read, " or "));
}

/// The values in order of their keys.
std::string joined(const std::map<std::string, std::string>& lines) {
  std::string all;
  for (const auto& [key, line] : lines)
    all += line;
  return all;
}

}  // namespace

void Config::set(std::string key, std::string text, std::string source, bool inherited) {
  const int level = inherited ? 2 : source == "--set" ? 0 : 1;
  values_[std::move(key)] = {
      .text = std::move(text), .source = std::move(source), .inherited = inherited, .level = level};
}

void Config::overrule(std::string key, std::string text, std::string source) {
  values_[std::move(key)] = {.text = std::move(text), .source = std::move(source), .level = 0};
}

Config Config::take_out(const std::function<bool(std::string_view)>& wanted) {
  Config out;
  for (auto at = values_.begin(); at != values_.end();)
    if (const auto next = std::next(at); wanted(at->first))
      out.values_.insert(values_.extract(std::exchange(at, next)));
    else
      at = next;
  return out;
}

const Config::Value* Config::take(const std::vector<std::string>& spellings) {
  std::vector<std::pair<const std::string, Value>*> written;
  for (const std::string& name : spellings)
    if (const auto found = values_.find(name); found != values_.end()) written.push_back(&*found);
  if (written.empty()) return nullptr;
  std::stable_sort(written.begin(), written.end(),
                   [](const auto* a, const auto* b) { return a->second.level < b->second.level; });
  if (written.size() > 1 && written[0]->second.level == written[1]->second.level)
    fail(written[1]->second.source,
         fmt::format("'{}' is another name for '{}', which is set at {}; keep one of them",
                     written[1]->first, written[0]->first, written[0]->second.source));
  for (auto* entry : written)
    entry->second.used = true;
  return &written[0]->second;
}

void Config::record(const std::string& key, std::string text, std::string source) {
  Entry entry{key, std::move(text), std::move(source)};
  const auto known = std::find_if(resolved_.begin(), resolved_.end(),
                                  [&](const Entry& other) { return other.key == key; });
  if (known == resolved_.end())
    resolved_.push_back(std::move(entry));
  else
    *known = std::move(entry);
}

std::string Config::choice_hint(std::string_view wrong, const std::string& type) {
  static const std::set<std::string, std::less<>> kTypes{"integer", "number", "text", "bool",
                                                         "list"};
  std::vector<std::string> choices;
  std::istringstream words(type);  // "a | b | c"
  for (std::string word; words >> word;)
    if (word != "|" && !kTypes.contains(word)) choices.push_back(word);
  const std::string near = nearest(wrong, choices);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

void Config::require_all_used(std::span<const OptionInfo> known) const {
  std::vector<std::string> names;
  for (const OptionInfo& option : known) {
    names.push_back(option.key);
    names.insert(names.end(), option.aliases.begin(), option.aliases.end());
  }
  for (const auto& [key, value] : values_) {
    if (value.used || std::find(names.begin(), names.end(), key) != names.end()) continue;
    fail(value.source, "unknown key '" + key + "'" + key_hint(key, resolved_, names));
  }
  for (const auto& [key, value] : values_)
    if (!value.used && !value.inherited)
      fail(value.source, "'" + key + "' has no effect: no part of this experiment reads it");
}

std::string Config::resolved_text() const {
  std::map<std::string, std::string> lines;
  for (const Entry& entry : resolved_)
    lines[entry.key] = entry.key + " = " + entry.text + "\n";
  return joined(lines);
}

std::string Config::resolved_sources() const {
  std::map<std::string, std::string> lines;
  for (const Entry& entry : resolved_)
    lines[entry.key] = entry.key + ": " + entry.source + "\n";
  return joined(lines);
}

}  // namespace engram
