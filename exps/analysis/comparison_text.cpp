// A verdict in words.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"

namespace engram {
namespace {

constexpr int kManySeeds = 1'000'000;  // where pairs_needed() stops counting

/// "X keeps 6.1 points more accuracy than Y"; the first named is the better one.
std::string finding(const PairComparison& pair, std::string_view metric, const std::string& size) {
  const bool b_leads = pair.difference * direction_of(metric) >= 0;
  const std::string &leader = b_leads ? pair.b : pair.a, &other = b_leads ? pair.a : pair.b;
  if (metric == "average_accuracy" && pair.of_scores)
    return fmt::format("{} scores {} more than {}", leader, size, other);
  if (metric == "average_accuracy")
    return fmt::format("{} keeps {} more accuracy than {}", leader, size, other);
  if (metric == "forgetting") return fmt::format("{} forgets {} less than {}", leader, size, other);
  std::string name(metric);
  if (metric == "bwt") name = "backward transfer";
  if (metric == "fwt") name = "forward transfer";
  std::replace(name.begin(), name.end(), '_', ' ');
  return fmt::format("{} has {} {} {} than {}", leader, size,
                     direction_of(metric) > 0 ? "more" : "less", name, other);
}

/// What would show more, or that the seeds at hand should have shown it.
std::string outlook(const PairComparison& pair, double level) {
  const std::size_t n = pair.seeds.size();
  const double size = std::abs(pair.difference);
  if (pair.seeds_needed <= 0) return "";
  if (pair.seeds_needed >= kManySeeds) return "; a million seeds would not show one point";
  if (static_cast<std::size_t>(pair.seeds_needed) <= n)
    return fmt::format("; {} seeds are about enough to see one point{}", n,
                       size < kOnePoint ? ", so it is probably less" : "");
  std::string text = fmt::format("; about {} seeds would show one point", pair.seeds_needed);
  // So many more than at hand may discourage for nothing.
  const int for_this = stats::pairs_needed(pair.spread, size, 1 - level);
  if (size >= 2 * kOnePoint && static_cast<std::size_t>(for_this) > n)
    text += fmt::format(", about {} a difference as large as this", for_this);
  return text;
}

std::string p_clause(double p) {
  return std::isnan(p) ? "" : fmt::format(", p {}{}", p < 1e-4 ? "" : "= ", p_text(p));
}

}  // namespace

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  if (p < 1e-4) return "< 0.0001";
  return p < 0.09995 ? fmt::format("{:.4f}", p) : fmt::format("{:.2f}", p);
}

std::string sentence_of(const PairComparison& pair, const ComparisonOptions& options,
                        std::size_t pairs) {
  const std::size_t n = pair.seeds.size();
  const bool all_equal = std::all_of(pair.differences.begin(), pair.differences.end(),
                                     [&](double d) { return d == pair.differences.front(); });
  if (all_equal && pair.difference == 0)
    return fmt::format(
        "{} and {} do not differ: the same {} {}", pair.a, pair.b, options.metric,
        n == 1 ? "with the one seed that both have" : fmt::format("with each of {} seeds", n));
  const double amount = 100 * std::abs(pair.difference);
  const int digits = amount < 0.95 ? 2 : 1;
  const std::string size = fmt::format("{:.{}f} points", amount, digits);
  const std::string found = finding(pair, options.metric, size);
  if (n == 1)
    return fmt::format(
        "the data cannot tell: {} with the one seed that both have; at least {} seeds are needed",
        found, kFewestSeeds);
  if (all_equal)
    return fmt::format(
        "the data cannot tell: {}, by the same amount with each of {} seeds, and differences "
        "without spread cannot be tested; more seeds or a larger test set would help",
        found, n);

  const double sign = pair.difference < 0 ? -100 : 100;
  const double low = std::min(sign * pair.bca.low, sign * pair.bca.high);
  const double high = std::max(sign * pair.bca.low, sign * pair.bca.high);
  const std::string figures =
      fmt::format("({:g} % BCa interval {:.{}f} to {:.{}f}, n = {}{}{})", 100 * options.level, low,
                  digits, high, digits, n, p_clause(pair.t_holm), pairs > 1 ? " after Holm" : "");
  if (pair.verdict != Verdict::CannotTell)
    return fmt::format("{} {}: the difference is real", found, figures);
  if (n < static_cast<std::size_t>(kFewestSeeds))
    return fmt::format("the data cannot tell: {} {}, but {} seeds are too few for a verdict{}",
                       found, figures, n, outlook(pair, options.level));
  return fmt::format("the data cannot tell: {} {}{}", found, figures, outlook(pair, options.level));
}

}  // namespace engram
