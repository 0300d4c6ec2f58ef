#include "models/checked_state.h"

#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {

void check_state(const ParamStore& store, int id, Numbers numbers, double least, double most) {
  for (const real value : store.state(id).all()) {
    const auto v = static_cast<double>(value);
    if (v >= least && v <= most && (numbers == Numbers::Any || v == std::floor(v))) continue;
    throw Error(Fault::Data,
                fmt::format("{} holds {} where {} {} belong: the file is damaged or of another "
                            "program; take another one, or start over with --force",
                            store.state_param(id).name, v,
                            numbers == Numbers::Whole ? "whole numbers" : "numbers",
                            std::isinf(most) ? fmt::format("from {} on", least)
                                             : fmt::format("from {} to {}", least, most)));
  }
}

}  // namespace engram
