// Experiments that train within a second, for tests of the program.
#pragma once

namespace engram {

inline constexpr const char* kTinyCfg = R"([DEFAULT]
benchmark = synthetic
stream = permuted
tasks = 2
hidden_units = 40
batch_size = 50
train_limit = 500
test_limit = 100
lr = 0.1

[tiny]
about = the smallest thing that learns

[tiny_sparse]
inherits = tiny
sparsify = yes
percent_on_fc = 0.1
boost_strength = 1
)";

}  // namespace engram
