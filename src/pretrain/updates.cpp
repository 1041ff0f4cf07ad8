#include "updates.h"

#include <ATen/ATen.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr const char* format = "ltad-updates/1";

at::Tensor product(const Weights& updates, const std::string& name, const at::Tensor& weight,
                   const std::string& where) {
    const auto down = updates.find(name + down_suffix);
    const auto up = updates.find(name + up_suffix);
    if (down == updates.end() || up == updates.end())
        fail(where, ": '", name, "' has one factor of a low-rank update without the other");
    const bool fits = weight.dim() == 2 && down->second.dim() == 2 && up->second.dim() == 2 &&
                      up->second.size(0) == weight.size(0) && down->second.size(1) == weight.size(1) &&
                      up->second.size(1) == down->second.size(0);
    if (!fits)
        fail(where, ": the low-rank update of '", name, "', ", shape_text(up->second.sizes().vec()), " x ",
             shape_text(down->second.sizes().vec()), ", does not fit its weight ", shape_text(weight.sizes().vec()));
    return at::matmul(up->second.to(at::kFloat), down->second.to(at::kFloat));
}

}  // namespace

ModelUpdates read_updates(const std::filesystem::path& file) {
    ModelUpdates updates;
    Metadata metadata;
    updates.tensors = load_weights(file, &metadata);
    if (metadata["format"] != format)
        fail(file.string(), ": format \"", metadata["format"], "\", \"", format,
             "\" was expected; a file that `ltad-pretrain train` wrote is needed");
    updates.sources = parse_handwritten_json(metadata["sources"], file.string() + ", its sources");
    if (!updates.sources.is_object()) fail(file.string(), ": its sources are damaged");
    return updates;
}

void write_updates(const std::filesystem::path& file, const ModelUpdates& updates, const Metadata& metadata) {
    Metadata all = metadata;
    all["format"] = format;
    all["sources"] = updates.sources.dump();
    save_weights(file, updates.tensors, all);
}

Weights apply_updates(const Weights& model, const Weights& updates, const std::string& where) {
    Weights result = model;
    for (const auto& [name, tensor] : updates) {
        const bool down = name.ends_with(down_suffix);
        const bool factor = down || name.ends_with(up_suffix);
        const std::string target =
            factor ? name.substr(0, name.size() - (down ? down_suffix : up_suffix).size()) : name;
        const auto found = result.find(target);
        if (found == result.end()) fail(where, ": the model has no tensor '", target, "' to be changed");
        if (down || !factor) {
            const at::Tensor& weight = model.at(target);
            if (!factor && tensor.sizes() != weight.sizes())
                fail(where, ": tensor '", name, "' has shape ", shape_text(tensor.sizes().vec()), ", the model's is ",
                     shape_text(weight.sizes().vec()));
            found->second =
                factor ? weight.to(at::kFloat) + product(updates, target, weight, where) : tensor.to(at::kFloat);
        } else {
            (void)product(updates, target, model.at(target), where);
        }
    }
    return result;
}

}  // namespace ltad
