#include "sharded_weights.h"

#include <map>
#include <set>
#include <string>

#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {
namespace {

/// Tensor → file, relative to the index's folder.
std::map<std::string, std::string> read_weight_map(const std::filesystem::path& index) {
    const json document = read_json(index);
    const json map = document.is_object() ? document.value("weight_map", json()) : json();
    if (!map.is_object() || map.empty())
        fail(index.string(), ": weight_map: an object of tensors and the files they are in was expected");
    std::map<std::string, std::string> files;
    for (const auto& [tensor, file] : map.items()) {
        const std::filesystem::path path = file.is_string() ? file.get<std::string>() : std::string();
        // A plain name: nothing outside the folder is read. And no index, which could name itself.
        if (path.empty() || path != path.filename() || path == ".." || path == "." || is_weights_index(path))
            fail(index.string(), ": weight_map: '", tensor, "': ", file.dump(),
                 " is not the name of a file of weights in this folder");
        files[tensor] = path.string();
    }
    return files;
}

}  // namespace

bool is_weights_index(const std::filesystem::path& path) { return path.filename().string().ends_with(".index.json"); }

std::vector<std::filesystem::path> shards_of(const std::filesystem::path& index) {
    std::set<std::filesystem::path> shards;
    for (const auto& [tensor, file] : read_weight_map(index)) shards.insert(index.parent_path() / file);
    return {shards.begin(), shards.end()};
}

Weights load_sharded_weights(const std::filesystem::path& index) {
    const auto file_of = read_weight_map(index);
    Weights weights;
    for (const std::filesystem::path& shard : shards_of(index)) {
        if (!std::filesystem::is_regular_file(shard))
            fail(index.string(), ": names ", shard.filename().string(), ", which is not there");
        for (auto& [name, tensor] : load_any_weights(shard)) {
            const auto listed = file_of.find(name);
            // One that is listed elsewhere is taken from there; one that is not listed is loaded by the reference, too.
            if (listed == file_of.end() || index.parent_path() / listed->second == shard) weights[name] = tensor;
        }
    }
    for (const auto& [name, file] : file_of)
        if (!weights.contains(name))
            fail(index.string(), ": tensor '", name, "' is not in ", file, ", where it should be");
    return weights;
}

}  // namespace ltad
