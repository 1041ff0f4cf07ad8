#include <algorithm>
#include <set>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/json.h"
#include "ltad/data/dataset.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

constexpr const char* split_format = "ltad-split/1";

json describe(const Split& split, const DatasetConfig& dataset) {
    json classes = json::array();
    for (const ClassSplit& c : split.classes)
        classes.push_back({{"name", c.name},
                           {"available", c.available},
                           {"requested", c.requested},
                           {"kept", c.kept},
                           {"group", name_of(c.group)}});
    json where = {{"layout", dataset.layout}, {"root", dataset.root}};
    if (dataset.bits > 0) where["bits"] = dataset.bits;
    if (dataset.masks != DatasetConfig().masks) where["masks"] = dataset.masks;
    return {
        {"format", split_format},
        {"dataset", where},
        {"type", split.type},
        {"imbalance_factor", split.imbalance_factor},
        {"class_order", split.class_order.names.empty() ? json(split.class_order.kind) : json(split.class_order.names)},
        {"reverse", split.reverse},
        {"seed", split.seed},
        {"classes", classes},
        {"sha256",
         {{"train.jsonl", sha256(format_sample_list(split.train))},
          {"test.jsonl", sha256(format_sample_list(split.test))}}}};
}

ClassSplit parse_class(const json& item, const std::string& where) {
    const std::string group = item.at("group");
    if (group != "high" && group != "low") fail(where, ": group '", group, "' is neither \"high\" nor \"low\"");
    return {.name = item.at("name"),
            .available = item.at("available"),
            .requested = item.at("requested"),
            .kept = item.at("kept"),
            .group = group == "high" ? Group::high : Group::low};
}

std::vector<Sample> read_list(const std::filesystem::path& folder, const char* name, const json& document) {
    const auto file = folder / name;
    const std::string found = sha256_file(file);
    const std::string expected = document.at("sha256").at(name);
    if (found != expected)
        fail(file.string(), ": its sha256 is ", found, ", split.json says ", expected, "; the list was changed");
    return read_sample_list(file);
}

/// Every training sample belongs to a class of split.json, and the counts agree.
void check_counts(const Split& split, const std::string& where) {
    std::int64_t total = 0;
    for (const ClassSplit& c : split.classes) {
        const auto count = std::count_if(split.train.begin(), split.train.end(),
                                         [&](const Sample& s) { return s.class_name == c.name; });
        if (count != c.kept) fail(where, ": class '", c.name, "' keeps ", c.kept, " pictures, train.jsonl has ", count);
        total += count;
    }
    std::set<std::string> seen;
    for (const auto* samples : {&split.train, &split.test})
        for (const Sample& s : *samples)
            if (!seen.insert(s.file).second) fail(where, ": ", s.file, " is in its lists twice");
    for (const Sample& s : split.train)
        if (s.defective) fail(where, ": ", s.file, ": a defective picture among the training pictures");
    if (total != static_cast<std::int64_t>(split.train.size()))
        fail(where, ": train.jsonl has pictures of classes that split.json does not name");
    for (const Sample& s : split.test)
        if (std::none_of(split.classes.begin(), split.classes.end(),
                         [&](const ClassSplit& c) { return c.name == s.class_name; }))
            fail(where, ": test.jsonl has pictures of class '", s.class_name, "', which split.json does not name");
}

}  // namespace

void write_split(const std::filesystem::path& folder, const Split& split, const DatasetConfig& dataset) {
    make_directories(folder);
    write_file_atomically(folder / "train.jsonl", format_sample_list(split.train));
    write_file_atomically(folder / "test.jsonl", format_sample_list(split.test));
    write_json(folder / "split.json", describe(split, dataset));  // last: it makes the lists a split
}

Split read_split(const std::filesystem::path& folder) {
    const auto file = folder / "split.json";
    if (!std::filesystem::exists(file))
        fail(folder.string(), ": not a split, it has no split.json (ltad-split make and import write one)");
    const json document = read_json(file);
    if (!document.is_object()) fail(file.string(), ": a JSON object as ltad-split writes it was expected");
    Split split;
    try {
        if (document.at("format") != split_format)
            fail(file.string(), ": format ", document.at("format").dump(), " is not \"", split_format, "\"");
        split.type = document.at("type");
        split.imbalance_factor = document.at("imbalance_factor");
        const json& order = document.at("class_order");
        if (order.is_array())
            split.class_order = {.kind = "list", .names = order.get<std::vector<std::string>>()};
        else
            split.class_order.kind = order.get<std::string>();
        split.reverse = document.at("reverse");
        split.seed = document.at("seed");
        for (const json& item : document.at("classes")) split.classes.push_back(parse_class(item, file.string()));
        split.train = read_list(folder, "train.jsonl", document);
        split.test = read_list(folder, "test.jsonl", document);
    } catch (const json::exception& error) {
        fail(file.string(), ": ", words_of(error));
    }
    check_counts(split, file.string());
    return split;
}

}  // namespace ltad
