#include "exps/moment.h"

#include <algorithm>

namespace engram {
namespace {

bool at_once(const TaskStream& stream) {
  return stream.experiences() < stream.tasks();
}

}  // namespace

int matrix_rows(const TaskStream& stream) {
  return 1 + std::max(stream.tasks(), stream.experiences());
}

Moment untrained_moment(const TaskStream& stream) {
  return {.at_once = at_once(stream)};
}

Moment moment_after(const TaskStream& stream, int e, int seen) {
  Moment m{.task = stream.task_of(e), .seen = seen, .at_once = at_once(stream)};
  for (int phase = 0; phase <= e; ++phase)
    m.learnt = std::max(m.learnt, stream.task_of(phase) + 1);
  const int end = matrix_rows(stream) - 1;
  m.row = m.at_once ? end : e + 1;
  m.last = m.row == end;
  return m;
}

}  // namespace engram
