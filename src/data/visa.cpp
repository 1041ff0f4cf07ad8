#include <algorithm>
#include <array>
#include <map>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/lines.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

std::string trimmed(const std::string& field) {
    const std::size_t first = field.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    return field.substr(first, field.find_last_not_of(" \t") - first + 1);
}

/// One record's fields (RFC 4180: quotes, doubled quotes; a field holds no line break here), spaces around them left
/// out.
std::vector<std::string> split_csv(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"')
            fields.back() += line[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            fields.emplace_back();
        else
            fields.back() += c;
    }
    for (std::string& field : fields) field = trimmed(field);
    return fields;
}

constexpr std::array columns = {"object", "split", "label", "image", "mask"};

/// Which field of a record holds what.
struct Heading {
    std::size_t fields = 0;
    std::map<std::string, std::size_t> place;
};

Heading parse_heading(const std::string& line, const std::string& where) {
    Heading heading;
    const auto names = split_csv(line);
    heading.fields = names.size();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!heading.place.emplace(names[i], i).second && !names[i].empty())
            fail(where, ": the column '", names[i], "' is there twice in its heading line: ", line.substr(0, 200));
    for (const char* name : columns)
        if (!heading.place.contains(name))
            fail(where, ": no column '", name,
                 "' in its heading line (object,split,label,image,mask was expected): ", line.substr(0, 200));
    return heading;
}

/// Adds a record's picture to its half. `where`: file and line.
void add_record(Dataset& dataset, const Heading& heading, const std::string& line, const std::string& where) {
    const auto fields = split_csv(line);
    if (fields.size() != heading.fields)
        fail(where, ": ", heading.fields, " fields were expected, found ", fields.size());
    const auto field = [&](const char* name) { return fields[heading.place.at(name)]; };
    const std::string label = field("label");
    const std::string part = field("split");
    if ((label != "normal" && label != "anomaly") || (part != "train" && part != "test"))
        fail(where, ": label normal or anomaly and split train or test were expected, found '", label, "' and '", part,
             "'");
    if (field("image").empty() || field("object").empty()) fail(where, ": object and image must not be empty");
    Sample sample{listed_path(field("image"), where), field("object"), label == "anomaly", {}};
    if (sample.defective && !field("mask").empty()) sample.mask = listed_path(field("mask"), where);
    if (part == "train" && sample.defective) fail(where, ": a defective picture among the training pictures");
    (part == "train" ? dataset.train : dataset.test).push_back(std::move(sample));
}

std::string reason_not_used(const std::vector<std::string>& path) {
    return has_picture_ending(path.back()) ? "not listed in split_csv/1cls.csv" : "";
}

}  // namespace

// The raw tree and split_csv/1cls.csv: object, split, label, image, mask.
Dataset list_visa(const DatasetConfig& config, PassedOver& passed_over) {
    const auto file = std::filesystem::path(config.root) / "split_csv" / "1cls.csv";
    if (!std::filesystem::exists(file))
        fail(file.string(), ": no such file, in which dataset.layout \"visa\" has the list of its pictures");
    Dataset dataset;
    Heading heading;
    std::size_t number = 0;
    for (const std::string& line : text_lines(read_file(file), file.string())) {
        ++number;
        if (trimmed(line).empty()) continue;
        if (heading.fields == 0)
            heading = parse_heading(line, file.string());
        else
            add_record(dataset, heading, line, text(file.string(), ':', number));
    }
    std::set<std::string> names;
    for (const auto* samples : {&dataset.train, &dataset.test})
        for (const Sample& sample : *samples) names.insert(sample.class_name);
    for (const std::string& name : names)
        passed_over.look_through(name, files_of_class(dataset, name), reason_not_used);
    return dataset;
}

}  // namespace ltad
