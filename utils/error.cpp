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

}  // namespace

void broken_invariant(const char* condition, std::source_location where) {
  std::fprintf(stderr, "engram: bug: '%s' does not hold at %s:%u (%s). Please report this.\n",
               condition, where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name());
  std::abort();
}

std::string nearest(std::string_view wrong, std::span<const std::string> known) {
  std::string best;
  std::size_t fewest = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const std::string& name : known) {
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
