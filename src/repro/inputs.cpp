#include "inputs.h"

#include <algorithm>
#include <thread>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/parallel.h"
#include "ltad/data/dataset.h"
#include "ltad/detect/method.h"
#include "ltad/split/split.h"

namespace ltad {

std::string content(const std::filesystem::path& file) {
    try {
        return remembered_sha256_file(file);
    } catch (const Error&) {
        return "unreadable";
    }
}

namespace {

// Descriptions are bytes, no JSON: names of an encoder's files need not be UTF-8.

/// Names and labels, pictures and masks by content.
std::string describe(const Config& config, const std::vector<Sample>& samples, bool may_be_interrupted) {
    const std::filesystem::path root = config.dataset.root;
    const auto threads = config.threads > 0 ? static_cast<std::size_t>(config.threads)
                                            : std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::string> lines(samples.size());
    for_each_index(samples.size(), threads, [&](std::size_t i) {
        if (may_be_interrupted && interrupt_requested()) throw Interrupted("interrupted; nothing was trained yet");
        const Sample& sample = samples[i];
        lines[i] =
            text(sample.file, '\0', sample.class_name, '\0', sample.defective, ' ', content(root / sample.file), ' ');
        if (!sample.mask.empty()) lines[i] += text(sample.mask, '\0', content(root / sample.mask));
    });
    std::string all;
    for (const std::string& line : lines) all += line + '\n';
    return all;
}

using Contents = std::map<std::string, std::string>;

std::string lines_of(const Contents& files) {
    std::string all;
    for (const auto& [name, hash] : files) all += text(name, '\0', hash, '\n');
    return all;
}

/// Every regular file directly in a folder, by content; but for notes (.md) and hidden files, on which nothing depends.
std::string describe_folder(const std::filesystem::path& folder) {
    Contents files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        std::error_code code;  // a link may lead nowhere
        if (entry.is_regular_file(code) && entry.path().extension() != ".md" && !name.starts_with('.'))
            files[name] = content(entry.path());
    }
    return lines_of(files);
}

/// A file, or all files below a folder, by content.
std::string describe_tree(const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) return content(path);
    Contents files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             path, std::filesystem::directory_options::skip_permission_denied)) {
        std::error_code code;
        if (entry.is_regular_file(code)) files[entry.path().lexically_relative(path)] = content(entry.path());
    }
    return lines_of(files);
}

}  // namespace

json::json_pointer pointer_to(const std::string& key) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    return json::json_pointer(pointer);
}

std::string Inputs::look_once(const std::string& what, const std::function<std::string()>& describe) {
    const auto [found, is_new] = known_.try_emplace(what);
    if (!is_new) return found->second;
    try {
        found->second = sha256(describe());
    } catch (const Interrupted&) {
        throw;
    } catch (const Error&) {  // what cannot be listed cannot be run either
        found->second = what;
    } catch (const std::filesystem::filesystem_error&) {
        found->second = what;
    }
    return found->second;
}

std::string Inputs::training(const Config& config) {
    std::string all =
        look_once("train " + picked(config, {"dataset"}).dump(),
                  [&] { return describe(config, list_dataset(config.dataset).train, may_be_interrupted_); }) +
        look_once(config.encoder.path, [&] { return describe_folder(config.encoder.path); });
    if (!config.split.path.empty())
        all += look_once(text("train ", config.dataset.root, ' ', config.split.path), [&] {
            return describe_folder(config.split.path) +
                   describe(config, read_split(config.split.path).train, may_be_interrupted_);
        });
    return sha256(all);
}

std::string Inputs::test(const Config& config) {
    const std::string meaning = config.dataset.masks == DatasetConfig().masks ? "" : config.dataset.masks;
    if (!config.split.path.empty())
        return meaning + look_once(text("test ", config.dataset.root, ' ', config.split.path), [&] {
                   return describe(config, read_split(config.split.path).test, may_be_interrupted_);
               });
    return meaning + look_once("test " + picked(config, {"dataset"}).dump(), [&] {
               return describe(config, list_dataset(config.dataset).test, may_be_interrupted_);
           });
}

std::string Inputs::named(const Config& config, const std::vector<std::string>& keys) {
    const json all_values = to_json(config);
    std::string all;
    for (const std::string& key : keys) {
        const std::string path = all_values.at(pointer_to(key)).get<std::string>();
        all += look_once("tree " + path, [&] { return describe_tree(path); });
    }
    return sha256(all);
}

std::string Inputs::all(const Config& config) {
    return training(config) + named(config, method_named(config.method).own_paths) + test(config);
}

}  // namespace ltad
