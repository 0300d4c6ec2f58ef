// What permuted, split and rotated have in common: a list of tasks, each some rows of the data set
// seen through a pixel map. The three files only fill the list.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"
#include "benchmarks/stream.h"
#include "benchmarks/stream_options.h"

namespace engram {

using Rows = std::shared_ptr<const std::vector<std::uint32_t>>;

struct TaskPlan {
  std::string name;
  std::vector<int> classes;  ///< ascending
  Rows train, validation, test;
  std::shared_ptr<const PixelMap> map;
  int view = -1;  ///< which of the images' views labels them; -1: their labels
};

class CutStream : public TaskStream {
 public:
  /// `label` begins the description: "permuted mnist". Throws Error(Config) when a task has no
  /// training or no test examples.
  CutStream(const Dataset& data, std::string label, std::vector<TaskPlan> plans,
            bool tasks_share_labels);

  std::string describe() const override;
  int tasks() const override { return static_cast<int>(plans_.size()); }
  Experience experience(int e) const override;
  ExampleSet test(int task) const override;
  ExampleSet validation(int task) const override;
  std::vector<int> classes(int task) const override { return plan(task).classes; }
  bool tasks_share_labels() const override { return tasks_share_labels_; }
  bool tasks_share_images() const override { return plans_.front().view >= 0; }
  std::string task_name(int task) const override { return plan(task).name; }
  ImageShape shape() const override { return plans_.front().map->out(); }
  int labels() const override { return data_.classes; }

 private:
  const TaskPlan& plan(int task) const;

  Dataset data_;  ///< shares the images
  std::string label_;
  std::vector<TaskPlan> plans_;
  bool tasks_share_labels_;
};

/// How many of `count` images a limit leaves; 0: all.
inline std::size_t limited(std::size_t count, int limit) {
  return limit > 0 ? std::min(count, static_cast<std::size_t>(limit)) : count;
}

/// How pixels become input under `normalise`. Error(Config) when the constants do not fit the
/// number of channels or the data set has none.
PixelScale pixel_scale(const StreamOptions&, const Dataset&);

/// Fills in the rows of every task from its classes: the first train_limit and test_limit images of
/// the data set, of the training images the first class_limit of every class, less the validation
/// share, those that the imbalance of classes and tasks leaves. Tasks of the same rows share them,
/// and neighbours over the same classes their split: no task learns what another validates with.
void fill_rows(const StreamOptions&, const Dataset&, std::uint64_t seed,
               std::vector<TaskPlan>& plans);

/// One task per view in `views`, all over the same images. The first train_limit images are learnt;
/// those that the data set holds out are the validation set when validation > 0.
std::unique_ptr<TaskStream> make_views(const StreamOptions&, const Dataset&, std::string label,
                                       const std::vector<int>& views);

/// 0 ... data.classes - 1.
std::vector<int> all_classes(const Dataset&);

std::unique_ptr<TaskStream> make_permuted(const StreamOptions&, const Dataset&, std::uint64_t seed);
std::unique_ptr<TaskStream> make_split(const StreamOptions&, const Dataset&, std::uint64_t seed);
std::unique_ptr<TaskStream> make_rotated(const StreamOptions&, const Dataset&, std::uint64_t seed);
std::unique_ptr<TaskStream> make_multi_mnist(const StreamOptions&, const Dataset&,
                                             std::uint64_t seed);
std::unique_ptr<TaskStream> make_attributes(const StreamOptions&, const Dataset&,
                                            std::uint64_t seed);

}  // namespace engram
