#include "benchmarks/imbalance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

/// ratio^(-k / (n - 1)) for k = 0 ... n - 1.
std::vector<double> exponential_profile(double ratio, int n) {
  std::vector<double> shares(static_cast<std::size_t>(n), 1);
  for (int k = 1; k < n; ++k)
    shares[static_cast<std::size_t>(k)] = std::pow(ratio, -k / (n - 1.0));
  return shares;
}

}  // namespace

std::vector<double> class_shares(const StreamOptions& options, int classes, std::uint64_t seed) {
  std::vector<int> order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  if (options.imbalance_order == ClassOrder::Seed) {
    Rng rng = Rng(options.order_seed.value_or(seed)).fork("imbalance_order");
    rng.shuffle(std::span(order));
  }
  const std::vector<double> profile = exponential_profile(options.imbalance, classes);
  std::vector<double> shares(order.size());
  for (std::size_t c = 0; c < order.size(); ++c)
    shares[static_cast<std::size_t>(order[c])] = profile[c];
  return shares;
}

std::vector<double> task_shares(const StreamOptions& options, int tasks) {
  if (options.task_sizes.empty()) return exponential_profile(options.task_imbalance, tasks);
  if (options.task_imbalance > 1)
    throw Error(Fault::Config,
                "task_sizes and task_imbalance say the same thing in two ways; "
                "leave one of them out");
  if (options.task_sizes.size() != static_cast<std::size_t>(tasks))
    throw Error(Fault::Config,
                fmt::format("task_sizes has {} shares for {} tasks; write one for each",
                            options.task_sizes.size(), tasks));
  return options.task_sizes;
}

bool is_imbalanced(const StreamOptions& options) {
  return options.imbalance > 1 || options.task_imbalance > 1 || !options.task_sizes.empty();
}

void thin_out(std::vector<std::uint32_t>& rows, const Images& images,
              const std::vector<double>& shares, double share, std::uint64_t seed) {
  std::map<Label, std::vector<std::uint32_t>> by_class;
  for (const std::uint32_t row : rows)
    by_class[images.labels[row]].push_back(row);
  rows.clear();
  for (auto& [label, members] : by_class) {
    Rng rng = Rng(seed).fork("imbalance", label);
    rng.shuffle(std::span(members));
    const double wanted = shares[label] * share * static_cast<double>(members.size());
    const auto n = std::max<std::ptrdiff_t>(1, std::lround(wanted));
    rows.insert(rows.end(), members.begin(), members.begin() + n);
  }
  std::sort(rows.begin(), rows.end());
}

}  // namespace engram
