// Context-dependent gating (Masse, Grant & Freedman 2018) by its name among the strategies: it
// brings gating = xdg along (models/gatings/xdg.cpp), which does all there is to do.
#include "learners/strategies/strategies.h"

namespace engram {
namespace {

class XdgStrategy final : public Strategy {};

}  // namespace

std::unique_ptr<Strategy> make_xdg_strategy(const NoOptions&, const StrategyContext&) {
  return std::make_unique<XdgStrategy>();
}

}  // namespace engram
