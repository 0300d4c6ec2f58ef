# One set of flags for every target: vector types must agree across translation units.
add_library(engram_flags INTERFACE)
add_library(engram::flags ALIAS engram_flags)
set(ENGRAM_MARCH "x86-64-v3" CACHE STRING
    "-march for every target; 'native' for one machine, empty for the compiler's baseline")
option(ENGRAM_WERROR "Treat warnings as errors" OFF)
target_compile_options(engram_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>  # false alarms of gcc 12 inside fmt's headers
  $<$<BOOL:${ENGRAM_WERROR}>:-Werror>
  $<$<BOOL:${ENGRAM_MARCH}>:-march=${ENGRAM_MARCH}>
  -fopenmp-simd -fno-math-errno -ffp-contract=on)
target_compile_definitions(engram_flags INTERFACE
  $<$<CONFIG:Debug>:XTENSOR_ENABLE_ASSERT>)
