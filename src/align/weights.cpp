#include "ltad/align/weights.h"

#include <array>
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "ltad/align/torch_file.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "sharded_weights.h"

namespace ltad {
namespace {

constexpr std::array<std::pair<Dtype, at::ScalarType>, 10> scalar_types = {{{Dtype::f64, at::kDouble},
                                                                            {Dtype::f32, at::kFloat},
                                                                            {Dtype::f16, at::kHalf},
                                                                            {Dtype::bf16, at::kBFloat16},
                                                                            {Dtype::i64, at::kLong},
                                                                            {Dtype::i32, at::kInt},
                                                                            {Dtype::i16, at::kShort},
                                                                            {Dtype::i8, at::kChar},
                                                                            {Dtype::u8, at::kByte},
                                                                            {Dtype::boolean, at::kBool}}};

at::ScalarType scalar_type_of(Dtype dtype) {
    for (const auto& [ours, theirs] : scalar_types)
        if (ours == dtype) return theirs;
    fail("no tensor type for ", name_of(dtype));
}

Dtype dtype_of(const at::Tensor& tensor, const std::string& name) {
    for (const auto& [ours, theirs] : scalar_types)
        if (theirs == tensor.scalar_type()) return ours;
    fail("tensor '", name, "' has a type that safetensors cannot hold");
}

constexpr const char* hash_key = "tensors_sha256";
constexpr const char* metadata_hash_key = "metadata_sha256";

/// Of what a caller has put there.
std::string hash_of(Metadata metadata) {
    metadata.erase(hash_key);
    metadata.erase(metadata_hash_key);
    Sha256 hash;
    for (const auto& [name, value] : metadata) hash.update(text(name, '\0', value, '\0'));
    return hash.hex();
}

std::string hash_of(const std::map<std::string, TensorBytes>& tensors) {
    Sha256 hash;
    for (const auto& [name, tensor] : tensors) hash.update(tensor.bytes);
    return hash.hex();
}

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> endings) {
    for (const auto ending : endings)
        if (name.ends_with(ending)) return true;
    return false;
}

}  // namespace

Weights load_weights(const std::filesystem::path& path, Metadata* metadata) {
    const auto file = std::make_shared<const SafetensorsFile>(path);
    if (metadata != nullptr) {
        *metadata = file->metadata();
        metadata->erase(hash_key);
        metadata->erase(metadata_hash_key);
    }
    // Files of others have none.
    if (const auto hash = file->metadata().find(hash_key);
        hash != file->metadata().end() && hash->second != hash_of(file->tensors()))
        fail(path.string(), ": damaged, its tensors are not those that were written");
    if (const auto hash = file->metadata().find(metadata_hash_key);
        hash != file->metadata().end() && hash->second != hash_of(file->metadata()))
        fail(path.string(), ": damaged, its metadata are not those that were written");
    Weights weights;
    for (const auto& [name, tensor] : file->tensors()) {
        // from_blob wants a non-const pointer; nobody writes through it (see the header).
        char* const data = const_cast<char*>(tensor.bytes.data());
        const auto options = at::TensorOptions().dtype(scalar_type_of(tensor.dtype));
        if (reinterpret_cast<std::uintptr_t>(data) % size_of(tensor.dtype) == 0) {
            weights[name] = at::from_blob(
                data, tensor.shape, [file](void*) {}, options);
        } else {  // a header of odd length, which the format allows
            weights[name] = at::empty(tensor.shape, options);
            tensor.bytes.copy(static_cast<char*>(weights[name].data_ptr()), tensor.bytes.size());
        }
    }
    return weights;
}

Weights load_any_weights(const std::filesystem::path& path) {
    if (is_weights_index(path)) return load_sharded_weights(path);
    const bool named = path.extension() == ".pth" || path.extension() == ".pt" || path.extension() == ".bin";
    return named || is_torch_file(path) ? load_torch_weights(path) : load_weights(path);
}

std::vector<std::filesystem::path> weights_files(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> files{path};
    if (is_weights_index(path))
        for (auto& shard : shards_of(path)) files.push_back(std::move(shard));
    return files;
}

void save_weights(const std::filesystem::path& path, const Weights& weights, const Metadata& metadata) {
    std::vector<at::Tensor> kept;  // owns what the views point to
    std::map<std::string, TensorBytes> tensors;
    for (const auto& [name, tensor] : weights) {
        const at::Tensor& plain = kept.emplace_back(tensor.detach().to(at::kCPU).contiguous());
        tensors[name] = {
            dtype_of(plain, name), plain.sizes().vec(), {static_cast<const char*>(plain.data_ptr()), plain.nbytes()}};
    }
    Metadata extended = metadata;
    extended[hash_key] = hash_of(tensors);
    extended[metadata_hash_key] = hash_of(metadata);
    write_safetensors(path, tensors, extended);
}

void check_weights(const Weights& found, const Shapes& expected, const std::string& where) {
    std::vector<std::string> problems;
    for (const auto& [name, shape] : expected) {
        const auto item = found.find(name);
        if (item == found.end())
            problems.push_back(text("tensor '", name, "' ", shape_text(shape), " is missing"));
        else if (item->second.sizes().vec() != shape)
            problems.push_back(text("tensor '", name, "' has shape ", shape_text(item->second.sizes().vec()),
                                    ", expected ", shape_text(shape)));
    }
    for (const auto& [name, tensor] : found)
        if (!expected.contains(name) && !ends_with_any(name, {"position_ids", "num_batches_tracked"}))
            problems.push_back(text("tensor '", name, "' ", shape_text(tensor.sizes().vec()), " is not expected"));
    if (problems.empty()) return;

    constexpr std::size_t shown = 8;
    std::string message = text(where, ": does not fit the architecture that its config describes");
    for (std::size_t i = 0; i < problems.size() && i < shown; ++i) message += "\n  " + problems[i];
    if (problems.size() > shown) message += text("\n  and ", problems.size() - shown, " more");
    throw Error(message);
}

Weights with_prefix(const Weights& weights, const std::string& prefix) {
    Weights chosen;
    for (const auto& [name, tensor] : weights)
        if (name.starts_with(prefix)) chosen[name.substr(prefix.size())] = tensor;
    return chosen;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (const auto length : shape) out += text(out.size() > 1 ? ", " : "", length);
    return out + "]";
}

}  // namespace ltad
