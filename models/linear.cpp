// Fully connected layer: picks dense or sparse storage when it learns the sizes and how many inputs
// will be active.
#include "models/sparse_synapses.h"

namespace engram {
namespace {

class Linear final : public Layer {
 public:
  Linear(int outputs, const Synapses& synapses) : outputs_(outputs), synapses_(synapses) {}

  std::string kind() const override { return "linear"; }
  std::string describe() const override { return stored_->describe(); }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    const bool sparse = synapses_.storage == WeightStorage::Sparse ||
                        (synapses_.storage == WeightStorage::Auto && synapses_.density < 1 &&
                         sparse_storage_pays(synapses_.density, place.active_share));
    stored_ = sparse ? sparse_linear(outputs_, synapses_) : dense_linear(outputs_, synapses_);
    return stored_->bind(in, place, store);
  }
  void init(Rng rng) override { stored_->init(rng); }
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    return stored_->forward(x, y, pass);
  }
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, CMat feedback) const override {
    return stored_->backward_input(x, y, dy, dx, pass, feedback);
  }
  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass& pass) const override {
    return stored_->accumulate(pre, y, post, pass);
  }
  CMat weight() const override { return stored_->weight(); }

 private:
  int outputs_;
  Synapses synapses_;
  LayerPtr stored_;
};

}  // namespace

LayerPtr linear(int outputs, const Synapses& synapses) {
  return std::make_unique<Linear>(outputs, synapses);
}

}  // namespace engram
