#include "inputs.h"

#include <algorithm>
#include <thread>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/parallel.h"
#include "ltad/data/dataset.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

// Descriptions are bytes, no JSON: names of files need not be UTF-8.

/// Names and labels, pictures and masks by content.
std::string describe(const std::filesystem::path& root, const std::vector<Sample>& samples) {
    std::vector<std::string> lines(samples.size());
    for_each_index(samples.size(), std::max(1u, std::thread::hardware_concurrency()), [&](std::size_t i) {
        const Sample& sample = samples[i];
        lines[i] = text(sample.file, '\0', sample.class_name, '\0', sample.defective, ' ',
                        sha256_file(root / sample.file), ' ');
        if (!sample.mask.empty()) lines[i] += text(sample.mask, '\0', sha256_file(root / sample.mask));
    });
    std::string all;
    for (const std::string& line : lines) all += line + '\n';
    return all;
}

/// Every regular file directly in a folder, by content; but for notes (.md) and hidden files, on which nothing depends.
std::string describe_folder(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && entry.path().extension() != ".md" && !name.starts_with('.'))
            files[name] = sha256_file(entry.path());
    }
    std::string all;
    for (const auto& [name, hash] : files) all += text(name, '\0', hash, '\n');
    return all;
}

}  // namespace

std::string Inputs::look_once(const std::string& what, const std::function<std::string()>& describe) {
    const auto [found, is_new] = known_.try_emplace(what);
    if (!is_new) return found->second;
    try {
        found->second = sha256(describe());
    } catch (const std::exception&) {  // a file may vanish between its listing and its reading, too
        found->second = what;
    }
    return found->second;
}

std::string Inputs::training(const Config& config) {
    std::string all = look_once("train " + picked(config, {"dataset"}).dump(),
                                [&] { return describe(config.dataset.root, list_dataset(config.dataset).train); }) +
                      look_once(config.encoder.path, [&] { return describe_folder(config.encoder.path); });
    if (!config.split.path.empty())
        all += look_once(text("train ", config.dataset.root, ' ', config.split.path), [&] {
            return describe_folder(config.split.path) +
                   describe(config.dataset.root, read_split(config.split.path).train);
        });
    return sha256(all);
}

std::string Inputs::test(const Config& config) {
    if (!config.split.path.empty())
        return look_once(text("test ", config.dataset.root, ' ', config.split.path),
                         [&] { return describe(config.dataset.root, read_split(config.split.path).test); });
    return look_once("test " + picked(config, {"dataset"}).dump(),
                     [&] { return describe(config.dataset.root, list_dataset(config.dataset).test); });
}

}  // namespace ltad
