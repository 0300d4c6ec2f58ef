// Strategies that give every task its own part of the network, or of its classifier.
#pragma once

#include <memory>

#include "learners/strategy.h"

namespace engram {

std::unique_ptr<Strategy> make_xdg_strategy(const NoOptions&, const StrategyContext&);  // xdg.cpp

}  // namespace engram
