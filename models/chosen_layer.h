// A layer that picks what stores and multiplies its weights when it learns the sizes and how many
// inputs will be active, and is that from then on.
#pragma once

#include "models/layer.h"

namespace engram {

class ChosenLayer : public Layer {
 public:
  std::string describe() const override { return chosen_->describe(); }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    chosen_ = choose(in, place);
    return chosen_->bind(in, place, store);
  }
  void init(Rng rng) override { chosen_->init(rng); }
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    return chosen_->forward(x, y, pass);
  }
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent& descent) const override {
    return chosen_->backward_input(x, y, dy, dx, pass, descent);
  }
  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass& pass) const override {
    return chosen_->accumulate(pre, y, post, pass);
  }
  Downward downward() const override { return chosen_->downward(); }
  std::vector<const SynapticMatrix*> synapses() const override { return chosen_->synapses(); }
  const SparseSynapses* existing_synapses() const override { return chosen_->existing_synapses(); }
  SparseSynapses* rewirable() override { return chosen_->rewirable(); }
  void restored() override { chosen_->restored(); }
  void check_restored() const override { chosen_->check_restored(); }
  void incoming(Signal& to) const override { chosen_->incoming(to); }

 protected:
  virtual LayerPtr choose(ImageShape in, const Place& place) const = 0;

 private:
  LayerPtr chosen_;
};

}  // namespace engram
