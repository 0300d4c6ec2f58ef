// The weights of a network as a file of their own, and networks that start from one: what a run
// with keep_weights leaves (HDF5), or a state dict of PyTorch (.safetensors, .npz).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/network.h"

namespace engram {

/// The parameters of a network, every slice under its name with its shape, and under "states" what
/// is not trained: running statistics, duty cycles.
void save_weights(const std::filesystem::path& file, const Network& net);

/// What load_weights() took.
struct TakenWeights {
  std::vector<std::string> layers;  ///< with parameters or state, from the bottom up
  std::string rest;                 ///< why the next one did not take its own; empty: there is none
  std::string sha256;               ///< of the file
  bool takes(const std::string& layer) const;
};

/// Parameters and states <- those of the file, from the lowest layer up to the last one whose names
/// and shapes fit; at most up to layer `until` (a place in the network; -1: no end), to which all
/// must fit. Gates of tasks are not taken. Error(MissingInput) when there is no such file;
/// Error(Data), which names the layer, when not even the lowest layer fits, or when the file is
/// damaged. Nothing is changed then.
TakenWeights load_weights(const std::filesystem::path& file, Network& net, int until = -1);

}  // namespace engram
