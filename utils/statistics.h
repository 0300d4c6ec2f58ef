// Statistics for a handful of paired numbers, one per seed: intervals, tests, effect sizes and how
// many seeds would be enough. No domain, no randomness of its own beyond a named stream.
// A value that is not finite makes a result NaN, and so does what cannot be known: a spread of
// fewer than two values, a test or an interval of values that are all equal.
#pragma once

#include <span>
#include <vector>

#include "utils/rng.h"

namespace engram::stats {

struct Interval {
  double low = 0, high = 0;  ///< NaN when it cannot be computed
};

struct Test {
  double statistic = 0;  ///< t, or the sum of the ranks of the positive differences; else NaN
  double p = 1;          ///< two-sided; NaN when the test says nothing (too few values, no spread)
  int n = 0;             ///< values that took part
  bool exact = false;    ///< the p-value is from the exact distribution
};

double mean(std::span<const double> values);  ///< NaN when empty
/// n - 1 in the denominator; NaN below two values, exactly 0 when all are equal.
double sd(std::span<const double> values);

/// Student's t below which a share p lies, with this many degrees of freedom.
double t_quantile(double p, double freedom);

/// Student's t interval of the mean, 0 < level < 1.
Interval t_interval(std::span<const double> values, double level = 0.95);
/// Bias-corrected and accelerated bootstrap interval of the mean (Efron 1987), `resamples` >= 1
/// draws, acceleration from the jackknife. The same values, level and stream give the same bits.
/// It never reaches beyond the values themselves, so that it is too narrow for few: of two values
/// it is at most the range between them, which holds the mean in every second case only.
Interval bca_interval(std::span<const double> values, double level, int resamples, const Rng& rng);

/// Is the mean of the differences zero? Student's paired t.
Test paired_t(std::span<const double> differences);
/// Are the differences symmetric about zero? Wilcoxon's signed ranks; zeros are left out, ties
/// share their rank. Exact (ties included) up to 50 differences, else the normal approximation with
/// the correction for ties and continuity. NaN when no difference is left; n differences cannot
/// give less than p = 2^(1-n).
Test wilcoxon_signed_rank(std::span<const double> differences);

/// Holm's step-down correction (1979), in the order given; NaNs stay and count for nothing.
std::vector<double> holm(std::span<const double> p);

/// Mean over SD of the differences (Cohen's d_z), times Hedges' exact correction for few values;
/// NaN below three differences, where no correction exists, and without spread.
double hedges_gz(std::span<const double> differences);

/// Least number of pairs with which a paired t test at level alpha sees a true mean difference of
/// `difference` with the wanted power, when differences spread with `sd` (noncentral t). At least
/// 2, at most a million; 0 when sd or difference is not a positive number. 0 < alpha, power < 1.
int pairs_needed(double sd, double difference, double alpha = 0.05, double power = 0.8);

}  // namespace engram::stats
