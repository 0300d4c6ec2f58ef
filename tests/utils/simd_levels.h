// Runs a test once per instruction set that the vector code was compiled for.
#pragma once

#include <hwy/highway.h>
#include <hwy/targets.h>

namespace engram::testing {

/// Calls body() with every vector instruction set that this processor offers, one at a time.
template <class Body>
void with_every_simd_level(Body body) {
  const auto all = hwy::SupportedTargets();
  for (const auto level : {HWY_AVX2, HWY_AVX3}) {
    if ((all & level) == 0) continue;
    hwy::SetSupportedTargetsForTest(level);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace engram::testing
