#include "models/network.h"

#include <map>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {

Network::Network(ImageShape in, std::vector<LayerPtr> layers, Rng rng, double active_share)
    : layers_(std::move(layers)), shapes_{in} {
  std::map<std::string, int> seen;  // kinds get a number each: linear1, linear2, conv1
  for (int l = 0; l < depth(); ++l) {
    const std::string kind = layer(l).kind();
    names_.push_back(kind + std::to_string(++seen[kind]));
    shapes_.push_back(layer(l).bind(shapes_.back(), {l, names_.back(), active_share}, store_));
    active_share = layer(l).active_share(active_share);
  }
  store_.allocate();
  for (int l = 0; l < depth(); ++l)
    layer(l).init(rng.fork("layer", static_cast<std::uint64_t>(l)));
  store_.mask_values();
}

Macs Network::evaluate(const Signal& x, Tape& tape, const Pass& pass) const {
  ENGRAM_INVARIANT(x.cols() == in().size());
  tape.resize(layers_.size());
  Macs macs;
  for (int l = 0; l < depth(); ++l)
    macs += layer(l).forward(input_of(l, x, tape), tape[static_cast<std::size_t>(l)], pass);
  return macs;
}

Macs Network::forward(const Signal& x, Tape& tape, const Pass& pass) {
  const Macs macs = evaluate(x, tape, pass);
  if (pass.training)
    for (int l = 0; l < depth(); ++l)
      layer(l).observe(input_of(l, x, tape), tape[static_cast<std::size_t>(l)]);
  return macs;
}

std::string Network::describe() const {
  std::string text;
  for (int l = 0; l < depth(); ++l)
    text +=
        fmt::format("{}  {} -> {}\n", layer(l).describe(), shape(l).text(), shape(l + 1).text());
  return text;
}

void Network::begin_epoch() {
  for (auto& l : layers_)
    l->begin_epoch();
}
void Network::begin_experience(std::span<const int> tasks) {
  for (auto& l : layers_)
    l->begin_experience(tasks);
}

}  // namespace engram
