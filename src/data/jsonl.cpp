#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "ltad/core/lines.h"

namespace ltad {
namespace {

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
    Sample sample{listed_path(get("filename"), where), get("clsname"), item["label"] == 1, {}};
    // Lists from data frames have null or "" where there is none.
    const bool has_mask = item.contains("maskname") && !item["maskname"].is_null() && item["maskname"] != "";
    const std::string mask = has_mask ? listed_path(get("maskname"), where) : "";
    if (sample.defective) sample.mask = mask;
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
    std::vector<Sample> samples;
    std::size_t number = 0;
    for (const std::string& line : text_lines(read_file(file), file.string())) {
        ++number;
        if (line.find_first_not_of(" \t") != std::string::npos)
            samples.push_back(parse_line(line, text(file.string(), ":", number)));
    }
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
