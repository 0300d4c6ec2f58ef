#include "exps/gate_log.h"

#include <algorithm>

#include "utils/error.h"

namespace engram {
namespace {

using Bytes = std::span<const std::uint8_t>;

Bytes row_of(const xt::xtensor<std::uint8_t, 2>& masks, std::size_t task) {
  const std::size_t units = masks.shape(1);
  return {masks.data() + task * units, units};
}

void start(const Network& net, std::size_t tasks, RunRecord& run) {
  run.gates.clear();
  for (const GatedLayer& level : net.gating()->layers()) {
    GateRecord gate;
    gate.layer = net.layer_name(level.layer);
    gate.learned = xt::zeros<std::uint8_t>({tasks, static_cast<std::size_t>(level.units)});
    gate.density = gate.kept = Table({run.accuracy.shape(0), tasks}, kNotEvaluated);
    gate.overlap = Table({tasks, tasks}, kNotEvaluated);
    run.gates.push_back(std::move(gate));
  }
}

}  // namespace

double mask_overlap(Bytes a, Bytes b) {
  double both = 0, either = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    both += a[i] != 0 && b[i] != 0, either += a[i] != 0 || b[i] != 0;
  return either > 0 ? both / either : kNotEvaluated;
}

void note_gates(const Network& net, const Moment& m, RunRecord& run) {
  if (!net.gating()) return;
  const auto tasks = static_cast<std::size_t>(run.tasks());
  if (m.row == 0) start(net, tasks, run);
  ENGRAM_INVARIANT(run.gates.size() == net.gating()->layers().size());
  net.gating()->refresh(net);
  for (std::size_t level = 0; level < run.gates.size(); ++level) {
    const GateMask open = net.gating()->mask(level);
    GateRecord& gate = run.gates[level];
    const std::size_t units = gate.learned.shape(1);
    xt::xtensor<std::uint8_t, 2> now({tasks, units});
    std::transform(open.begin(), open.end(), now.begin(),
                   [](real unit) { return static_cast<std::uint8_t>(unit > real{0.5}); });
    for (std::size_t task = 0; task < tasks; ++task) {
      const Bytes mask = row_of(now, task);
      const auto at = static_cast<std::size_t>(m.row);
      const bool comes = m.at_once ? m.row == 0 : m.is_new(static_cast<int>(task));
      if (comes) std::copy(mask.begin(), mask.end(), gate.learned.data() + task * units);
      const bool known = m.at_once || static_cast<int>(task) < m.learnt;
      gate.density(at, task) =
          static_cast<double>(std::count(mask.begin(), mask.end(), 1)) / static_cast<double>(units);
      if (known) gate.kept(at, task) = mask_overlap(mask, row_of(gate.learned, task));
      for (std::size_t other = 0; other < tasks; ++other)
        gate.overlap(task, other) = mask_overlap(mask, row_of(now, other));
    }
  }
}

}  // namespace engram
