#include "models/goodness.h"

#include "utils/error.h"

namespace engram {

Macs GoodnessLayer::backward_input(const Signal&, const Record&, const Signal&, Signal&,
                                   const Pass&, const Descent&) const {
  broken_invariant("no error goes down through a network that learns level by level");
}

}  // namespace engram
