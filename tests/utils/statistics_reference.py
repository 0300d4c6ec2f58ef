"""SciPy's answers for statistics_scipy_test.cpp.

Lines "name number number ..." from the first file named become lines "name figure number" in the
second.
"""
import sys

import numpy as np
from scipy import integrate, special, stats

RESAMPLES = 100_000


def rank_sum(differences, axis=-1):
    """Wilcoxon's W+ along an axis, ties sharing their rank."""
    ranks = stats.rankdata(np.abs(differences), axis=axis)
    return np.sum(ranks * (differences > 0), axis=axis)


def wilcoxon(differences):
    kept = differences[differences != 0]
    if len(kept) > 50:
        return stats.wilcoxon(kept, correction=True, mode="approx").pvalue
    if len(np.unique(np.abs(kept))) == len(kept):
        return stats.wilcoxon(kept, mode="exact").pvalue
    # With ties SciPy has no exact test of its own; all assignments of signs are.
    return stats.permutation_test(
        (kept,), rank_sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue


def bootstrap(differences, method):
    interval = stats.bootstrap(
        (differences,), np.mean, n_resamples=RESAMPLES, batch=10_000, method=method,
        confidence_level=0.95, random_state=np.random.default_rng(7),
    ).confidence_interval
    return [interval.low, interval.high]


def hedges(differences):
    half = (len(differences) - 1) / 2
    correction = np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half)
    return correction * np.mean(differences) / np.std(differences, ddof=1)


def power_of(n, effect, alpha):
    """By integrating over the estimated spread; SciPy's noncentral t is Boost's, as ours is."""
    critical, shift = stats.t.ppf(1 - alpha / 2, n - 1), effect * np.sqrt(n)

    def seen(square):
        limit = critical * np.sqrt(square / (n - 1))
        rejects = stats.norm.sf(limit - shift) + stats.norm.cdf(-limit - shift)
        return rejects * stats.chi2.pdf(square, n - 1)

    middle = stats.chi2.ppf(0.5, n - 1)
    return sum(integrate.quad(seen, *ends)[0] for ends in ((0, middle), (middle, np.inf)))


def pairs_needed(sd, difference, alpha=0.05, power=0.8):
    n = 2
    while power_of(n, difference / sd, alpha) < power:
        n += 1
    return n


def figures(values):
    d = np.array(values)
    t = stats.ttest_rel(d, np.zeros_like(d))
    low, high = stats.t.interval(0.95, len(d) - 1, np.mean(d), stats.sem(d))
    bca, percentile = bootstrap(d, "BCa"), bootstrap(d, "percentile")
    sd = np.std(d, ddof=1)
    return {
        "t": t.statistic, "t_p": t.pvalue, "t_low": low, "t_high": high,
        "wilcoxon_p": wilcoxon(d), "hedges_gz": hedges(d), "pairs": pairs_needed(sd, 0.5 * sd + 0.1),
        "bca_low": bca[0], "bca_high": bca[1],
        "percentile_low": percentile[0], "percentile_high": percentile[1],
    }


if __name__ == "__main__":
    with open(sys.argv[1]) as questions, open(sys.argv[2], "w") as answers:
        for line in questions:
            name, *values = line.split()
            for figure, number in figures([float(value) for value in values]).items():
                print(name, figure, repr(float(number)), file=answers)
