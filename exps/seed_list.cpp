#include "exps/seed_list.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "utils/options.h"

namespace engram {
namespace {

constexpr std::size_t kMostSeeds = 10'000;

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text, const std::string& where,
                                       Fault fault) {
  const auto refuse = [&](const std::string& why) {
    throw Error(fault, fmt::format("{} {}: {}", where, text, why));
  };
  const auto one = [&](const std::string& word) {
    std::uint64_t seed = 0;
    if (!option::parse(word, seed)) refuse("expected 3, 0..4 or 0,2,5");
    return seed;
  };
  std::vector<std::uint64_t> seeds;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dots = part.find("..");
    const std::uint64_t first = one(part.substr(0, dots));
    const std::uint64_t last = dots == std::string::npos ? first : one(part.substr(dots + 2));
    if (last < first) refuse("the range is empty");
    if (last - first >= kMostSeeds) refuse(fmt::format("more than {} seeds", kMostSeeds));
    for (std::uint64_t seed = first;; ++seed) {
      if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
      if (seed == last) break;
    }
  }
  return seeds;
}

}  // namespace engram
