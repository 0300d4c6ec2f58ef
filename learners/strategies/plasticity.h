// Strategies that keep a network able to learn.
#pragma once

#include <memory>

#include "learners/strategy.h"
