#include "benchmarks/cumulative.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "benchmarks/wrapped_stream.h"
#include "utils/error.h"

namespace engram {
namespace {

class FirstTasks : public WrappedStream {
 public:
  FirstTasks(std::unique_ptr<TaskStream> inner, int tasks)
      : WrappedStream(std::move(inner)), tasks_(tasks) {
    while (phases_ < inner_->experiences() && inner_->task_of(phases_) < tasks_)
      ++phases_;
  }
  std::string describe() const override {
    return fmt::format("{}; the first {} alone", inner_->describe(), tasks_);
  }
  int tasks() const override { return tasks_; }
  int experiences() const override { return phases_; }

 private:
  int tasks_;
  int phases_ = 0;  ///< before a later task begins
};

class Cumulative : public WrappedStream {
 public:
  using WrappedStream::WrappedStream;
  std::string describe() const override { return inner_->describe() + "; cumulative"; }
  Experience experience(int e) const override {
    Experience all = inner_->experience(0);
    for (int t = 1; t <= e; ++t) {
      const Experience one = inner_->experience(t);
      all.train.append(one.train);
      all.validation.append(one.validation);
    }
    all.index = e, all.seen = e + 1;
    all.classes = inner_->classes(e);
    all.test = inner_->test(e);
    return all;
  }
};

class Joint : public WrappedStream {
 public:
  Joint(std::unique_ptr<TaskStream> inner, std::optional<ExampleSet> base)
      : WrappedStream(std::move(inner)), base_(std::move(base)) {}
  std::string describe() const override {
    return inner_->describe() + (base_ ? "; joint, trained on the data set as it is" : "; joint");
  }
  int experiences() const override { return 1; }
  int task_of(int) const override { return tasks() - 1; }
  Experience experience(int e) const override {
    ENGRAM_INVARIANT(e == 0);
    Experience all;
    std::set<int> classes;
    for (int t = 0; t < inner_->tasks(); ++t) {
      const Experience one = inner_->experience(t);
      if (!base_) all.train.append(one.train);
      all.validation.append(one.validation);
      all.test.append(one.test);
      classes.insert(one.classes.begin(), one.classes.end());
    }
    if (base_) all.train = *base_;
    all.index = inner_->tasks() - 1, all.seen = inner_->tasks();
    all.classes.assign(classes.begin(), classes.end());
    return all;
  }

 private:
  std::optional<ExampleSet> base_;
};

}  // namespace

std::unique_ptr<TaskStream> make_first_tasks(std::unique_ptr<TaskStream> stream, int tasks) {
  if (tasks > stream->tasks())
    throw Error(Fault::Config,
                fmt::format("first_tasks = {}: the stream has {} tasks", tasks, stream->tasks()));
  return std::make_unique<FirstTasks>(std::move(stream), tasks);
}

std::unique_ptr<TaskStream> make_cumulative(std::unique_ptr<TaskStream> stream) {
  return std::make_unique<Cumulative>(std::move(stream));
}

std::unique_ptr<TaskStream> make_joint(std::unique_ptr<TaskStream> stream,
                                       std::optional<ExampleSet> base) {
  return std::make_unique<Joint>(std::move(stream), std::move(base));
}

}  // namespace engram
