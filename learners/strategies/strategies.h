// One options struct and one factory per strategy, by family; learners/strategy_table.cpp is their
// table.
#pragma once

#include "learners/strategies/importance.h"
#include "learners/strategies/isolation.h"
#include "learners/strategies/plasticity.h"
#include "learners/strategies/replay.h"
#include "learners/strategies/rewiring_strategies.h"
