#include "models/saved_weights.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/torch_weights.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/h5.h"

namespace engram {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 30;
constexpr const char* kStates = "states";

void read_slices(const h5::Group& group, SavedSlices& out) {
  for (const std::string& name : group.names()) {
    if (name == kStates) continue;
    SavedSlice slice;
    std::vector<std::size_t> shape;
    slice.values = group.read_floats(name, &shape);
    if (shape.size() != 2) throw Error(Fault::Data, fmt::format("'{}' is not a matrix", name));
    slice.rows = shape[0], slice.cols = shape[1];
    out[name] = std::move(slice);
  }
}

SavedSlices slices_of(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                      const Network& net) {
  const std::string ending = file.extension().string();
  if (ending == ".safetensors") return from_torch(read_safetensors(bytes), net);
  if (ending == ".npz") return from_torch(read_npz(bytes), net);
  SavedSlices out;
  h5::load(file, [&](const h5::Group& root) {
    read_slices(root, out);
    if (root.has(kStates)) read_slices(root.open(kStates), out);
  });
  return out;
}

/// A slice of a layer, where the file's values go.
struct Slot {
  const Param* param = nullptr;
  Mat to;
};

/// Feedback is not asked for: a rule fills it, and files of other rules have none. Nor are gates,
/// which are no states of the layer: they are drawn by this run's seed, for its tasks.
std::vector<Slot> slices_of_layer(Network& net, int l) {
  ParamStore& store = net.params();
  std::vector<Slot> out;
  for (int id = net.first_slice(l); id < net.last_slice(l); ++id) {
    const Param& p = store.param(id);
    if (!p.name.ends_with(".feedback")) out.push_back({&p, store.value(id)});
  }
  for (int id = net.first_state(l); id < net.last_state(l); ++id)
    out.push_back({&store.state_param(id), store.state(id)});
  return out;
}

/// Why a slice cannot take its values, or "".
std::string misfit(const Slot& place, const SavedSlices& saved) {
  const Param& p = *place.param;
  const auto found = saved.find(p.name);
  if (found == saved.end()) return fmt::format("the file has no {}", p.name);
  const SavedSlice& s = found->second;
  const std::string origin = s.origin.empty() ? "" : fmt::format(" ({} there)", s.origin);
  if (s.rows != static_cast<std::size_t>(p.rows) || s.cols != static_cast<std::size_t>(p.cols))
    return fmt::format("{}{} is {} x {} in the file and {} x {} here", p.name, origin, s.rows,
                       s.cols, p.rows, p.cols);
  for (std::size_t i = 0; i < s.values.size(); ++i) {
    if (!std::isfinite(s.values[i]))
      return fmt::format("{}{} holds {} in the file", p.name, origin, s.values[i]);
    if (!p.mask.empty() && p.mask[i] == 0 && s.values[i] != 0)
      return fmt::format(
          "{} has synapses in the file that are missing here (another init_seed or "
          "density)",
          p.name);
  }
  return "";
}

std::string misfit(Network& net, int l, const std::vector<Slot>& places, const SavedSlices& saved) {
  if (net.layer(l).existing_synapses())
    return net.layer_name(l) + " is stored sparse; use weight_storage = dense";
  for (const Slot& place : places)
    if (std::string why = misfit(place, saved); !why.empty()) return why;
  return "";
}

/// Places <- what the file says. Layers see then whether they can work with it; if one cannot, all
/// is as it was before.
void fill(Network& net, const std::vector<int>& layers, const std::vector<Slot>& places,
          const SavedSlices& saved) {
  std::vector<std::vector<real>> before;
  for (const Slot& place : places) {
    before.emplace_back(place.to.all().begin(), place.to.all().end());
    std::ranges::copy(saved.find(place.param->name)->second.values, place.to.data);
  }
  const auto tell = [&] {
    for (const int l : layers)
      net.layer(l).restored();
  };
  try {
    for (const int l : layers)
      net.layer(l).check_restored();
    tell();
  } catch (const Error&) {
    for (std::size_t i = 0; i < places.size(); ++i)
      std::ranges::copy(before[i], places[i].to.data);
    tell();
    throw;
  }
}

}  // namespace

bool TakenWeights::takes(const std::string& layer) const {
  return std::ranges::find(layers, layer) != layers.end();
}

void save_weights(const std::filesystem::path& file, const Network& net) {
  const ParamStore& store = net.params();
  h5::save(file, [&](const h5::Group& root) {
    root.attribute("description",
                   "weights of a network, row-major; a linear layer's are [inputs, "
                   "outputs]");
    root.attribute("model", net.describe());
    const auto write = [](const h5::Group& group, const Param& p, CMat values) {
      group.write(p.name, values.all(),
                  {static_cast<std::size_t>(values.rows), static_cast<std::size_t>(values.cols)});
    };
    for (int id = 0; id < store.count(); ++id)
      write(root, store.param(id), store.value(id));
    if (store.state_count() == 0) return;
    const h5::Group states = root.create(kStates);
    for (int id = 0; id < store.state_count(); ++id)
      write(states, store.state_param(id), store.state(id));
  });
}

TakenWeights load_weights(const std::filesystem::path& file, Network& net, int until) {
  return during("weights = " + file.string(), [&] {
    TakenWeights taken;
    const auto bytes = read_file(file, kLargestFile);
    taken.sha256 = sha256(bytes);
    const SavedSlices saved = slices_of(file, bytes, net);
    std::vector<Slot> places;
    std::vector<int> layers;
    const int end = until < 0 ? net.depth() : until + 1;
    for (int l = 0; l < end && taken.rest.empty(); ++l) {
      const std::vector<Slot> own = slices_of_layer(net, l);
      if (own.empty()) continue;
      taken.rest = misfit(net, l, own, saved);
      if (!taken.rest.empty()) break;
      places.insert(places.end(), own.begin(), own.end());
      taken.layers.push_back(net.layer_name(l)), layers.push_back(l);
    }
    if (taken.layers.empty())
      throw Error(Fault::Data, fmt::format("fits nowhere: {}; it belongs to another model or to "
                                           "other images",
                                           taken.rest));
    if (until >= 0 && !taken.rest.empty())
      throw Error(Fault::Data,
                  fmt::format("{}; what is below fits: weights_until = {} would take it",
                              taken.rest, taken.layers.back()));
    fill(net, layers, places, saved);
    return taken;
  });
}

}  // namespace engram
