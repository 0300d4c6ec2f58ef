// Included before <hwy/foreach_target.h>: which processors the SIMD code is compiled for. With the
// default -march that is AVX2 and, chosen at run time, AVX-512. Highway alone would also build for
// older processors than the rest of the program runs on.
#pragma once

#if defined(__AVX2__) && defined(__FMA__) && !defined(HWY_BASELINE_TARGETS)
#define HWY_BASELINE_TARGETS HWY_AVX2
#endif
