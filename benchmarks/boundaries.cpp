#include "benchmarks/boundaries.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "benchmarks/wrapped_stream.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

using Places = std::vector<std::uint32_t>;

/// An example of the window around a border: of the phase before (false) or behind it, and the
/// place in the window's half that it would have without blur.
struct Mixed {
  double moment;  ///< in [0, 1] across the window
  bool behind;
  std::uint32_t index;
};

/// 2 m examples in the order in which they are met. With moment u uniform in [0, 1], 2 u is the
/// density of the examples behind the border and 2 (1 - u) of those before: inverting their
/// distribution functions at one point in each of m equal cells draws them, in their own order.
std::vector<Mixed> window(std::uint32_t m, Rng rng) {
  std::vector<Mixed> all;
  all.reserve(std::size_t{2} * m);
  for (const bool behind : {false, true})
    for (std::uint32_t k = 0; k < m; ++k) {
      const double r = (k + rng.uniform()) / m;
      all.push_back({behind ? std::sqrt(r) : 1 - std::sqrt(1 - r), behind, k});
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Mixed& a, const Mixed& b) { return a.moment < b.moment; });
  return all;
}

class Linear : public WrappedStream {
 public:
  Linear(std::unique_ptr<TaskStream> inner, double blur, Rng rng)
      : WrappedStream(std::move(inner)), blur_(blur), rng_(rng) {
    for (int e = 0; e < experiences(); ++e)
      sizes_.push_back(static_cast<std::uint32_t>(inner_->experience(e).train.size()));
  }
  std::string describe() const override {
    return fmt::format("{}; borders blurred over {} of a phase", inner_->describe(), blur_);
  }
  bool ordered() const override { return true; }

  Experience experience(int e) const override {
    Experience one = inner_->experience(e);
    ExampleSet around = one.train;
    const std::uint32_t before = half(e - 1), behind = half(e), n = size(e);
    const Places own = order(e);
    Places places;
    places.reserve(n);
    if (before > 0) {  // the second half of the window before: a place k there is own[k]
      const auto met = window(before, rng_.fork("border", at(e - 1)));
      const Places other = order(e - 1);
      const auto offset = static_cast<std::uint32_t>(around.size());
      around.append(inner_->experience(e - 1).train);
      for (std::size_t i = before; i < met.size(); ++i)
        places.push_back(met[i].behind ? own[met[i].index]
                                       : offset + other[size(e - 1) - before + met[i].index]);
    }
    places.insert(places.end(), own.begin() + before, own.end() - behind);
    if (behind > 0) {
      const auto met = window(behind, rng_.fork("border", at(e)));
      const Places other = order(e + 1);
      const auto offset = static_cast<std::uint32_t>(around.size());
      const Experience next = inner_->experience(e + 1);
      around.append(next.train);
      for (std::size_t i = 0; i < behind; ++i) {
        places.push_back(met[i].behind ? offset + other[met[i].index]
                                       : own[n - behind + met[i].index]);
        if (met[i].behind) one.seen = std::max(one.seen, next.seen);
      }
    }
    one.train = around.subset(places);
    return one;
  }

 private:
  static std::uint64_t at(int e) { return static_cast<std::uint64_t>(e); }
  std::uint32_t size(int e) const { return sizes_[static_cast<std::size_t>(e)]; }
  Places order(int e) const { return rng_.fork("order", at(e)).permutation(size(e)); }
  /// Examples on each side of the border behind phase e that lie in its window.
  std::uint32_t half(int e) const {
    if (e < 0 || e + 1 >= experiences()) return 0;
    return static_cast<std::uint32_t>(blur_ * std::min(size(e), size(e + 1)) / 2);
  }

  double blur_;
  Rng rng_;
  std::vector<std::uint32_t> sizes_;  ///< training examples of each phase
};

class IBlurry : public WrappedStream {
 public:
  IBlurry(std::unique_ptr<TaskStream> inner, double disjoint, double blurry, Rng rng)
      : WrappedStream(std::move(inner)) {
    const std::vector<bool> stays = disjoint_classes(disjoint, rng.fork("classes"));
    Places pool;
    std::vector<std::size_t> given;
    for (int t = 0; t < tasks(); ++t) {
      const auto offset = static_cast<std::uint32_t>(all_.size());
      const ExampleSet train = inner_->experience(t).train;
      all_.append(train);
      Places kept, loose;
      for (std::uint32_t i = 0; i < train.size(); ++i)
        (stays[static_cast<std::size_t>(train.label(i))] ? kept : loose).push_back(offset + i);
      Rng draw = rng.fork("minor", static_cast<std::uint64_t>(t));
      draw.shuffle(std::span(loose));
      given.push_back(
          static_cast<std::size_t>(std::lround(blurry * static_cast<double>(loose.size()))));
      const auto border = loose.begin() + static_cast<std::ptrdiff_t>(given.back());
      pool.insert(pool.end(), loose.begin(), border);
      kept.insert(kept.end(), border, loose.end());
      phases_.push_back(std::move(kept));
    }
    Rng deal = rng.fork("deal");
    deal.shuffle(std::span(pool));
    auto next = pool.begin();
    for (std::size_t t = 0; t < phases_.size(); ++t) {
      const auto end = next + static_cast<std::ptrdiff_t>(given[t]);
      phases_[t].insert(phases_[t].end(), next, end);
      next = end;
      std::sort(phases_[t].begin(), phases_[t].end());
    }
    about_ = fmt::format(
        "; i-Blurry, {} of the classes disjoint, {} of the others' examples dealt "
        "to all tasks",
        disjoint, blurry);
  }
  std::string describe() const override { return inner_->describe() + about_; }
  Experience experience(int e) const override {
    Experience one = inner_->experience(e);
    one.train = all_.subset(phases_[static_cast<std::size_t>(e)]);
    for (int before = 0; before <= e; ++before)  // places are in the order of the tasks
      one.seen =
          std::max(one.seen, all_.task(phases_[static_cast<std::size_t>(before)].back()) + 1);
    return one;
  }

 private:
  /// [labels]: true for those that are not blurred. Drawn so that tasks have as many of them as
  /// each other, give or take one.
  std::vector<bool> disjoint_classes(double share, Rng rng) const {
    std::vector<std::vector<int>> of_task;
    std::size_t most = 0, count = 0;
    for (int t = 0; t < tasks(); ++t) {
      of_task.push_back(inner_->classes(t));
      rng.shuffle(std::span(of_task.back()));
      most = std::max(most, of_task.back().size()), count += of_task.back().size();
    }
    rng.shuffle(std::span(of_task));
    std::vector<int> classes;
    for (std::size_t turn = 0; turn < most; ++turn)
      for (const std::vector<int>& of : of_task)
        if (turn < of.size()) classes.push_back(of[turn]);
    classes.resize(static_cast<std::size_t>(std::lround(share * static_cast<double>(count))));
    std::vector<bool> stays(static_cast<std::size_t>(labels()));
    for (const int c : classes)
      stays[static_cast<std::size_t>(c)] = true;
    return stays;
  }

  ExampleSet all_;              ///< task after task
  std::vector<Places> phases_;  ///< of all_, ascending
  std::string about_;
};

}  // namespace

std::unique_ptr<TaskStream> make_linear(std::unique_ptr<TaskStream> stream, double blur,
                                        std::uint64_t seed) {
  return std::make_unique<Linear>(std::move(stream), blur, Rng(seed).fork("linear"));
}

std::unique_ptr<TaskStream> make_i_blurry(std::unique_ptr<TaskStream> stream, double disjoint,
                                          double blurry, std::uint64_t seed) {
  if (stream->tasks_share_labels())
    throw Error(Fault::Config,
                "boundaries = i_blurry deals out classes of other tasks, but all "
                "tasks of this stream have the same; use stream = split, or "
                "boundaries = linear");
  return std::make_unique<IBlurry>(std::move(stream), disjoint, blurry, Rng(seed).fork("i_blurry"));
}

}  // namespace engram
