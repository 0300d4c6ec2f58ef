#include "utils/product_times.h"

#include <oneapi/dnnl/dnnl.h>

namespace engram::kernels {

double dense_lead() {
#if !defined(ENGRAM_DOUBLE) && defined(__x86_64__)
  // Zen 4 does 512 bits in two halves. An Intel processor with one unit of 512 bits instead of two
  // is taken for one of the fast ones: nothing tells them apart.
  static const double lead = [] {
    __builtin_cpu_init();
    const auto isa = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
    const auto wide = static_cast<unsigned>(dnnl_cpu_isa_avx512_core);
    return (isa & wide) == wide && __builtin_cpu_is("intel") ? 1.75 : 1.0;
  }();
  return lead;
#else
  return 1;
#endif
}

}  // namespace engram::kernels
