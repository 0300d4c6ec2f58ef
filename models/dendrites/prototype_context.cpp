// Contexts for tasks that are known in training: the mean image of each.
#include <algorithm>

#include <fmt/format.h>

#include "models/dendrites/context_layer.h"
#include "utils/error.h"

namespace engram {
namespace {

class PrototypeContext final : public ContextLayer {
 public:
  PrototypeContext(int tasks, SharedContexts shared) : ContextLayer(tasks, 0, std::move(shared)) {}
  std::string describe() const override {
    return fmt::format("context: mean image of the task, the nearest of {} at test", most());
  }
  bool previews() const override { return true; }
  bool reads_task() const override { return true; }

  void preview(CMat images, std::span<const int> tasks) override {
    std::vector<double> sum;
    for (int task = 0; task < most(); ++task) {
      const auto count = static_cast<int>(std::ranges::count(tasks, task));
      if (count == 0) continue;
      sum.assign(static_cast<std::size_t>(length()), 0);
      for (int b = 0; b < images.rows; ++b)
        if (tasks[static_cast<std::size_t>(b)] == task)
          for (int i = 0; i < length(); ++i)
            sum[static_cast<std::size_t>(i)] += static_cast<double>(images.row(b)[i]);
      add_to(task, sum, count);
    }
  }

 protected:
  int chosen(int row, const Pass& pass) const override {
    if (pass.tasks.empty()) return kNoContext;
    const int task = pass.tasks[static_cast<std::size_t>(row)];
    return task < most() && seen(task) > 0 ? task : kNoContext;
  }
};

}  // namespace

LayerPtr prototype_context(int tasks, SharedContexts shared) {
  return std::make_unique<PrototypeContext>(tasks, std::move(shared));
}

}  // namespace engram
