// A stream says what is learnt and in which order: a sequence of experiences over tasks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"
#include "utils/rng.h"

namespace engram {

/// One training phase, and the test of the task it introduces.
struct Experience {
  int index = 0;
  std::vector<int> classes;  ///< labels of the data set that occur in the task `index`, ascending
  ExampleSet train, validation, test;
};

/// Built on demand and repeatable: the same t always has the same content.
class TaskStream {
 public:
  virtual ~TaskStream() = default;
  virtual std::string describe() const = 0;            ///< one line for people
  virtual int tasks() const = 0;                       ///< number of tasks = columns of the matrix
  virtual int experiences() const { return tasks(); }  ///< number of training phases; joint: 1
  virtual Experience experience(int e) const = 0;      ///< training phase e (0-based)
  virtual ExampleSet test(int task) const = 0;         ///< the test set of a task
  virtual ExampleSet validation(int task) const = 0;   ///< empty unless asked for
  virtual std::vector<int> classes(int task) const = 0;  ///< labels in the task, ascending
  /// True when tasks share all labels (permuted, rotated, ...): a label means another class per
  /// task.
  virtual bool tasks_share_labels() const = 0;
  /// True when tasks are different labels of the same images (multi_mnist, attributes).
  virtual bool tasks_share_images() const { return false; }
  virtual std::string task_name(int task) const = 0;  ///< "permutation 3", "digits 4 5"
  virtual ImageShape shape() const = 0;               ///< of an example as the network sees it
  virtual int labels() const = 0;                     ///< labels in the data set
};

}  // namespace engram
