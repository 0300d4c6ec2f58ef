// A stream says what is learnt and in which order: a sequence of experiences over tasks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"
#include "utils/rng.h"

namespace engram {

/// One training phase, and the test of the task it introduces or comes back to.
struct Experience {
  int index = 0;             ///< of that task; examples may be of others too
  std::vector<int> classes;  ///< labels of the data set that occur in the task `index`, ascending
  ExampleSet train, validation, test;
  int seen = index + 1;  ///< tasks 0 ... seen - 1 have been met by the end of the phase
};

/// Built on demand and repeatable: the same t always has the same content.
class TaskStream {
 public:
  virtual ~TaskStream() = default;
  virtual std::string describe() const = 0;  ///< one line for people
  virtual int tasks() const = 0;             ///< number of tasks = columns of the matrix
  /// Number of training phases: 1 when all tasks are learnt at once, more than tasks() when tasks
  /// come back.
  virtual int experiences() const { return tasks(); }
  virtual Experience experience(int e) const = 0;  ///< training phase e (0-based)
  virtual int task_of(int e) const { return e; }   ///< Experience::index of phase e
  /// True when the order of a phase's training examples means something: they are met once and are
  /// not shuffled.
  virtual bool ordered() const { return false; }
  /// True when nobody who learns may know where one task ends and the next begins.
  virtual bool task_free() const { return false; }
  virtual ExampleSet test(int task) const = 0;           ///< the test set of a task
  virtual ExampleSet validation(int task) const = 0;     ///< empty unless asked for
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
