// The switches of the processors' floating-point units.
#include "utils/denormals.h"

#include <cstdint>
#include <limits>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace engram {

void flush_denormals() {
#if defined(__x86_64__) || defined(__i386__)
  constexpr unsigned kResults = 0x8000, kOperands = 0x0040;  // FTZ, DAZ
  _mm_setcsr(_mm_getcsr() | kResults | kOperands);
#elif defined(__aarch64__)
  constexpr std::uint64_t kBoth = std::uint64_t{1} << 24;  // FZ
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | kBoth));
#endif
}

bool flushes_denormals() {
  volatile float least = std::numeric_limits<float>::min();
  return least * 0.5f == 0;
}

}  // namespace engram
