// What DER and DER++ share: memories that say of every example what the network said of it when it
// was learnt.
#pragma once

#include <memory>
#include <string>

#include "learners/example_memory.h"

namespace engram {

struct DarkOptions {
  MemoryOptions memory;
  int batch = 0;
  double alpha = 0, beta = 0;
};
/// A strategy whose loss has, beside the mean over the batch,
///   alpha mean (z - h(x'))^2 + beta mean CE(x'', y'')
/// over two draws from the memory that know nothing of each other; z are the logits of x' in the
/// training pass of the step after which it was remembered. The first mean is over the draw and
/// all outputs, those of classes to come included.
std::unique_ptr<Strategy> make_dark_experience(const DarkOptions&, const StrategyContext&,
                                               const std::string& name);

}  // namespace engram
