// Distributions are Boost's; the distribution of Wilcoxon's statistic is counted here.
#include "utils/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "utils/error.h"

namespace engram::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Interval kUnknown{kNaN, kNaN};
/// Up to here the 2^n assignments of signs are counted without rounding in a double.
constexpr int kMostExact = 50;
constexpr int kMostPairs = 1'000'000;

using Values = std::span<const double>;

bool all_finite(Values values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

/// Whether a spread can be estimated and is not zero.
bool has_spread(Values values) {
  return values.size() >= 2 && all_finite(values) && sd(values) > 0;
}

double below_normal(double z) {
  return boost::math::cdf(boost::math::normal(), z);
}
double normal_quantile(double p) {
  return boost::math::quantile(boost::math::normal(), p);
}

/// Between order statistics by linear interpolation; `sorted` must not be empty.
double quantile(Values sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

std::vector<double> resampled_means(Values values, int resamples, Rng rng) {
  const auto n = static_cast<std::uint32_t>(values.size());
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (double& mean : means) {
    double sum = 0;
    for (std::uint32_t i = 0; i < n; ++i)
      sum += values[rng.below(n)];
    mean = sum / n;
  }
  return means;
}

/// Twice the rank of every magnitude, so that shared ranks are whole numbers too; `ties` receives
/// the sum of t^3 - t over groups of t equal ones.
std::vector<int> doubled_ranks(const std::vector<double>& magnitudes, double& ties) {
  std::vector<std::size_t> order(magnitudes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return magnitudes[a] < magnitudes[b]; });
  std::vector<int> ranks(magnitudes.size());
  ties = 0;
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && magnitudes[order[end]] == magnitudes[order[first]])
      ++end;
    for (std::size_t i = first; i < end; ++i)
      ranks[order[i]] = static_cast<int>(first + 1 + end);  // ranks first + 1 .. end
    const auto t = static_cast<double>(end - first);
    ties += t * t * t - t;
  }
  return ranks;
}

/// P(W <= w) when every rank is positive or negative with the same chance.
double exact_tail(const std::vector<int>& ranks, int w) {
  const int most = std::accumulate(ranks.begin(), ranks.end(), 0);
  std::vector<double> ways(static_cast<std::size_t>(most) + 1, 0.0);
  ways[0] = 1;
  for (const int rank : ranks)
    for (int sum = most; sum >= rank; --sum)
      ways[static_cast<std::size_t>(sum)] += ways[static_cast<std::size_t>(sum - rank)];
  const double below = std::accumulate(ways.begin(), ways.begin() + w + 1, 0.0);
  return std::ldexp(below, -static_cast<int>(ranks.size()));
}

/// Power of a two-sided paired t test with n pairs when mean over SD is `effect`.
double power_of(int n, double effect, double alpha) {
  const double freedom = n - 1.0;
  const double critical =
      boost::math::quantile(boost::math::complement(boost::math::students_t(freedom), alpha / 2));
  const boost::math::non_central_t shifted(freedom, effect * std::sqrt(n));
  return boost::math::cdf(boost::math::complement(shifted, critical)) +
         boost::math::cdf(shifted, -critical);
}

}  // namespace

double mean(Values values) {
  if (values.empty() || !all_finite(values)) return kNaN;
  // From the first value on: equal values have exactly themselves as mean.
  double sum = 0;
  for (const double x : values)
    sum += x - values[0];
  return values[0] + sum / static_cast<double>(values.size());
}

double sd(Values values) {
  if (values.size() < 2 || !all_finite(values)) return kNaN;
  const double middle = mean(values);
  double squares = 0;
  for (const double x : values)
    squares += (x - middle) * (x - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double t_quantile(double p, double freedom) {
  return boost::math::quantile(boost::math::students_t(freedom), p);
}

Interval t_interval(Values values, double level) {
  ENGRAM_INVARIANT(level > 0 && level < 1);
  if (!has_spread(values)) return kUnknown;
  const auto n = static_cast<double>(values.size());
  const double half = t_quantile((1 + level) / 2, n - 1) * sd(values) / std::sqrt(n);
  const double middle = mean(values);
  return {middle - half, middle + half};
}

Interval bca_interval(Values values, double level, int resamples, const Rng& rng) {
  ENGRAM_INVARIANT(level > 0 && level < 1 && resamples >= 1);
  if (!has_spread(values)) return kUnknown;
  std::vector<double> means = resampled_means(values, resamples, rng);
  std::sort(means.begin(), means.end());

  // Bias: how far the mean is from the median of the resampled ones. Equal ones count half; sums in
  // another order are equal up to rounding.
  const double middle = mean(values);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double rounding = 1e-12 * (*most - *least);
  const auto equal_begin = std::lower_bound(means.begin(), means.end(), middle - rounding);
  const auto equal_end = std::upper_bound(means.begin(), means.end(), middle + rounding);
  const double count = resamples;
  const double share = (static_cast<double>(equal_begin - means.begin()) +
                        static_cast<double>(equal_end - means.begin())) /
                       2 / count;
  const double bias = normal_quantile(std::clamp(share, 0.5 / count, 1 - 0.5 / count));

  // The mean without value i lies (mean - value i) / (n - 1) off the mean.
  double squares = 0, cubes = 0;
  for (const double x : values) {
    const double influence = x - middle;
    squares += influence * influence, cubes += influence * influence * influence;
  }
  const double acceleration = cubes / (6 * std::pow(squares, 1.5));

  const auto corrected = [&](double z) {
    const double shifted = bias + z, denominator = 1 - acceleration * shifted;
    return denominator > 0 ? quantile(means, below_normal(bias + shifted / denominator)) : kNaN;
  };
  const double z = normal_quantile((1 - level) / 2);
  return {corrected(z), corrected(-z)};
}

Test paired_t(Values differences) {
  Test test{kNaN, kNaN, static_cast<int>(differences.size()), true};
  if (!has_spread(differences)) return test;
  const auto n = static_cast<double>(differences.size());
  test.statistic = mean(differences) / (sd(differences) / std::sqrt(n));
  const boost::math::students_t t(n - 1);
  test.p = 2 * boost::math::cdf(boost::math::complement(t, std::abs(test.statistic)));
  return test;
}

Test wilcoxon_signed_rank(Values differences) {
  if (!all_finite(differences)) return {kNaN, kNaN, 0, false};
  std::vector<double> magnitudes;
  std::vector<bool> positive;
  for (const double d : differences)
    if (d != 0) magnitudes.push_back(std::abs(d)), positive.push_back(d > 0);
  const int n = static_cast<int>(magnitudes.size());
  if (n == 0) return {kNaN, kNaN, 0, false};

  double ties = 0;
  const std::vector<int> ranks = doubled_ranks(magnitudes, ties);
  double twice_w = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (positive[i]) twice_w += ranks[i];
  const double count = n;
  const double twice_smaller = std::min(twice_w, count * (count + 1) - twice_w);
  Test test{twice_w / 2, kNaN, n, n <= kMostExact};
  if (test.exact) {
    // Symmetric about its middle, also with ties.
    test.p = std::min(1.0, 2 * exact_tail(ranks, static_cast<int>(twice_smaller)));
    return test;
  }
  const double expected = count * (count + 1) / 4;
  const double variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48;
  const double off = std::max(0.0, expected - twice_smaller / 2 - 0.5);
  test.p = 2 * below_normal(-off / std::sqrt(variance));
  return test;
}

std::vector<double> holm(Values p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.begin(), p.end());
  double least = 0;  // a larger p never ends up below a smaller one
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto left = static_cast<double>(order.size() - i);
    least = std::max(least, std::min(1.0, left * p[order[i]]));
    corrected[order[i]] = least;
  }
  return corrected;
}

double hedges_gz(Values differences) {
  if (differences.size() < 3 || !has_spread(differences)) return kNaN;
  const double freedom = static_cast<double>(differences.size()) - 1;
  const double correction =
      std::exp(std::lgamma(freedom / 2) - std::lgamma((freedom - 1) / 2)) / std::sqrt(freedom / 2);
  return correction * mean(differences) / sd(differences);
}

int pairs_needed(double sd, double difference, double alpha, double power) {
  ENGRAM_INVARIANT(alpha > 0 && alpha < 1 && power > 0 && power < 1);
  const bool known = sd > 0 && std::isfinite(sd) && difference > 0 && std::isfinite(difference);
  if (!known) return 0;
  // Of such an effect two pairs are enough; Boost's noncentral t does not go much further.
  const double effect = std::min(difference / sd, 1e4);
  // A normal test needs about so many and never more than the t test: where the search begins, so
  // that noncentralities stay moderate.
  const double z = normal_quantile(1 - alpha / 2) + normal_quantile(power);
  const double guess = z > 0 ? (z / effect) * (z / effect) : 2;
  if (!(guess < kMostPairs)) return kMostPairs;
  int n = std::max(2, static_cast<int>(guess));
  while (n > 2 && power_of(n - 1, effect, alpha) >= power)
    --n;
  while (n < kMostPairs && power_of(n, effect, alpha) < power)
    ++n;
  return n;
}

}  // namespace engram::stats
