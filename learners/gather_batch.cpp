#include "learners/gather_batch.h"

#include <algorithm>
#include <utility>

namespace engram {

void set_targets(const Targets& targets, int tasks_seen, int first, Batch& batch) {
  const std::size_t rows = batch.target.size();
  batch.own.resize(rows);
  if (!batch.mask.empty()) batch.mask.resize(rows);
  for (auto i = static_cast<std::size_t>(first); i < rows; ++i) {
    const int task = batch.task[i];
    batch.target[i] = targets.target(task, batch.target[i]);
    batch.own[i] = targets.own_mask(task);
    const auto mask = targets.train_mask(task, tasks_seen);
    if (!mask.empty() || !batch.mask.empty()) batch.mask.resize(rows), batch.mask[i] = mask;
  }
}

void gather_batch(const ExampleSet& examples, std::span<const std::uint32_t> places,
                  const Targets& targets, int tasks_seen, Batch& batch) {
  const auto rows = places.size();
  batch.target.resize(rows), batch.task.resize(rows), batch.mask.clear();
  batch.repeats.of.clear();
  batch.place.assign(places.begin(), places.end());
  const Mat x = batch.x.resize(static_cast<int>(rows), examples.shape().size());
  examples.gather(places, x, batch.target, batch.task, &batch.x.active);
  set_targets(targets, tasks_seen, 0, batch);
}

void BatchAppender::append(const ExampleSet& examples, std::span<const std::uint32_t> places,
                           const Targets& targets, int tasks_seen, Batch& batch) {
  if (places.empty()) return;
  const auto old = static_cast<std::size_t>(batch.rows()), more = places.size();
  const Mat x = more_.resize(static_cast<int>(more), batch.x.cols());
  more_.active.forget();
  batch.target.resize(old + more), batch.task.resize(old + more);
  examples.gather(places, x, std::span(batch.target).subspan(old),
                  std::span(batch.task).subspan(old), &more_.active);
  join_rows(batch.x, more_, joined_);
  std::swap(batch.x, joined_);
  set_targets(targets, tasks_seen, static_cast<int>(old), batch);
}

}  // namespace engram
