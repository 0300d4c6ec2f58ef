#include "utils/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace engram {
namespace {

/// Levenshtein distance, where swapping two neighbouring letters counts as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1,
                             previous[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before = previous;
    std::swap(previous, current);
  }
  return previous[b.size()];
}

/// "fa" of "feedback_alignment"; "" of a single word.
std::string initials(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return "";
  std::string letters;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (name[i] != '_' && (i == 0 || name[i - 1] == '_')) letters += name[i];
  return letters;
}

}  // namespace

void broken_invariant(const char* condition, std::source_location where) {
  std::fprintf(stderr, "engram: bug: '%s' does not hold at %s:%u (%s). Please report this.\n",
               condition, where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name());
  std::abort();
}

std::string nearest(std::string_view wrong, std::span<const std::string> known) {
  for (const std::string& name : known)
    if (wrong.size() > 1 && initials(name) == wrong) return name;
  std::string best;
  // A beginning is nearer than any slip. In one or two letters a slip could be anything.
  const bool is_begun = wrong.size() > 1 && std::ranges::any_of(known, [&](const auto& name) {
                          return name.starts_with(wrong);
                        });
  std::size_t fewest = is_begun ? std::string_view::npos : (wrong.size() + 3) / 3;
  for (const std::string& name : known) {
    if (is_begun && !name.starts_with(wrong)) continue;
    const std::size_t distance = edit_distance(wrong, name);
    if (distance < fewest) best = name, fewest = distance;
  }
  return best;
}

std::string suggestion(std::string_view wrong, std::span<const std::string> known) {
  if (const std::string near = nearest(wrong, known); !near.empty())
    return "; did you mean '" + near + "'?";
  std::string all;
  for (const std::string& name : known)
    all += (all.empty() ? "; known: " : ", ") + name;
  return all;
}

}  // namespace engram
