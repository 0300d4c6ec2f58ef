// Looking up a name in a table of methods.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "utils/error.h"

namespace engram {

/// The entry of a table with this name; Error(Config) "what = name: nothing is called so" with a
/// suggestion.
template <class Entry>
const Entry& find_entry(std::span<const Entry> table, std::string_view name,
                        std::string_view what) {
  std::vector<std::string> known;
  for (const Entry& entry : table) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  throw Error(Fault::Config, std::string(what) + " = " + std::string(name) +
                                 ": nothing is called so" + suggestion(name, known));
}

}  // namespace engram
