#include <algorithm>
#include <sstream>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"

namespace ltad {
namespace {

bool leads_out(const std::filesystem::path& path) {
    return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
}

Sample parse_line(const std::string& line, const std::string& where) {
    const json item = json::parse(line, nullptr, false);
    if (!item.is_object()) fail(where, ": a JSON object was expected, found: ", line.substr(0, 80));
    const auto get = [&](const char* key) {
        if (!item.contains(key) || !item[key].is_string() || item[key].get<std::string>().empty())
            fail(where, ": \"", key, "\" is missing or not a string");
        return item[key].get<std::string>();
    };
    if (!item.contains("label") || !item["label"].is_number_integer() || (item["label"] != 0 && item["label"] != 1))
        fail(where, ": \"label\" must be 0 (good) or 1 (defective)");
    Sample sample{get("filename"), get("clsname"), item["label"] == 1, {}};
    for (const std::string& file : {sample.file, item.contains("maskname") ? get("maskname") : std::string("x")})
        if (leads_out(file)) fail(where, ": ", file, ": paths must be relative to the data set's root, without '..'");
    if (item.contains("maskname") && sample.defective) sample.mask = get("maskname");
    return sample;
}

/// Lists are given relative to the working folder, or to the data set's root.
std::filesystem::path find_list(const DatasetConfig& config, const std::string& list) {
    if (std::filesystem::exists(list)) return list;
    const auto inside = std::filesystem::path(config.root) / list;
    if (std::filesystem::exists(inside)) return inside;
    fail(list, ": no such list, neither here nor in ", config.root);
}

}  // namespace

std::vector<Sample> read_sample_list(const std::filesystem::path& file) {
    std::istringstream in(read_file(file));
    std::vector<Sample> samples;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number)
        if (line.find_first_not_of(" \t\r") != std::string::npos)
            samples.push_back(parse_line(line, text(file.string(), ":", number)));
    return samples;
}

std::string format_sample_list(const std::vector<Sample>& samples) {
    std::string lines;
    for (const Sample& sample : samples) {
        nlohmann::ordered_json line = {{"filename", sample.file},
                                       {"label", sample.defective ? 1 : 0},
                                       {"label_name", sample.defective ? "defective" : "good"}};
        if (!sample.mask.empty()) line["maskname"] = sample.mask;
        line["clsname"] = sample.class_name;
        try {
            lines += line.dump() + "\n";
        } catch (const json::exception&) {
            fail(sample.file, ": its name is not UTF-8, which lists cannot hold; rename it");
        }
    }
    return lines;
}

Dataset list_jsonl(const DatasetConfig& config) {
    Dataset dataset;
    const auto train = find_list(config, config.train);
    dataset.train = read_sample_list(train);
    dataset.test = read_sample_list(find_list(config, config.test));
    for (const Sample& sample : dataset.train)
        if (sample.defective)
            fail(train.string(), ": ", sample.file, ": a defective picture among the training pictures");
    return dataset;
}

}  // namespace ltad
