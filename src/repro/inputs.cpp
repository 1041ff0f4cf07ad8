#include "inputs.h"

#include <array>
#include <functional>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/data/dataset.h"

namespace ltad {
namespace {

std::string describe_data_set(const DatasetConfig& config) {
    const Dataset dataset = list_dataset(config);
    std::string all;
    for (const auto* samples : {&dataset.train, &dataset.test}) {
        all += format_sample_list(*samples);
        for (const Sample& sample : *samples)
            for (const std::string& file : {sample.file, sample.mask})
                if (!file.empty()) all += text(std::filesystem::file_size(dataset.root / file), ' ');
    }
    return all;
}

/// Every regular file directly in a folder, by content; but for notes (.md), on which nothing depends.
std::string describe_folder(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().extension() != ".md")
            files[entry.path().filename()] = sha256_file(entry.path());
    return json(files).dump();
}

}  // namespace

std::string Inputs::fingerprint(const Config& config) {
    const auto look_once = [&](const std::string& what, const std::function<std::string()>& describe) {
        const auto [found, is_new] = known_.try_emplace(what);
        if (!is_new) return found->second;
        try {
            found->second = sha256(describe());
        } catch (const std::exception&) {  // a file may vanish between its listing and its reading, too
            found->second = what;
        }
        return found->second;
    };
    std::string all = look_once(picked(config, {"dataset"}).dump(), [&] { return describe_data_set(config.dataset); });
    for (const std::string& folder : {config.split.path, config.encoder.path})
        if (!folder.empty()) all += look_once(folder, [&] { return describe_folder(folder); });
    return sha256(all);
}

}  // namespace ltad
