// The tests of the vector kernels once more, with doubles.
#include "tests/utils/top_k_test.cpp"
#include "tests/utils/elementwise_test.cpp"
