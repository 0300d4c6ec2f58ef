// A stream around another one. What it does not change is passed on.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/stream.h"

namespace engram {

class WrappedStream : public TaskStream {
 public:
  explicit WrappedStream(std::unique_ptr<TaskStream> inner) : inner_(std::move(inner)) {}
  std::string describe() const override { return inner_->describe(); }
  int tasks() const override { return inner_->tasks(); }
  int experiences() const override { return inner_->experiences(); }
  Experience experience(int e) const override { return inner_->experience(e); }
  int task_of(int e) const override { return inner_->task_of(e); }
  bool ordered() const override { return inner_->ordered(); }
  bool task_free() const override { return inner_->task_free(); }
  ExampleSet test(int task) const override { return inner_->test(task); }
  ExampleSet validation(int task) const override { return inner_->validation(task); }
  std::vector<int> classes(int task) const override { return inner_->classes(task); }
  bool tasks_share_labels() const override { return inner_->tasks_share_labels(); }
  bool tasks_share_images() const override { return inner_->tasks_share_images(); }
  std::string task_name(int task) const override { return inner_->task_name(task); }
  ImageShape shape() const override { return inner_->shape(); }
  int labels() const override { return inner_->labels(); }

 protected:
  std::unique_ptr<TaskStream> inner_;
};

/// The same stream, whose borders nobody is told.
class TaskFreeStream : public WrappedStream {
 public:
  using WrappedStream::WrappedStream;
  std::string describe() const override { return inner_->describe() + "; borders are not told"; }
  bool task_free() const override { return true; }
};

}  // namespace engram
