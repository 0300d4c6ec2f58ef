// One factory per learning rule; learners/registry.cpp is their table.
#pragma once

#include <memory>

#include "learners/rule.h"

namespace engram {

std::unique_ptr<Rule> make_backprop();  // backprop.cpp

}  // namespace engram
