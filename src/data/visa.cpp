#include <algorithm>
#include <map>
#include <sstream>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

/// One record's fields (RFC 4180: quotes, doubled quotes; a field holds no line break here).
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
    return fields;
}

}  // namespace

// The raw tree and split_csv/1cls.csv: object, split, label, image, mask.
Dataset list_visa(const DatasetConfig& config) {
    const auto file = std::filesystem::path(config.root) / "split_csv" / "1cls.csv";
    if (!std::filesystem::exists(file))
        fail(file.string(), ": no such file, in which dataset.layout \"visa\" has the list of its pictures");
    std::istringstream in(read_file(file));
    Dataset dataset;
    std::map<std::string, std::size_t> column;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        const auto fields = split_csv(line);
        if (column.empty()) {
            for (std::size_t i = 0; i < fields.size(); ++i) column[fields[i]] = i;
            for (const char* name : {"object", "split", "label", "image", "mask"})
                if (!column.contains(name)) fail(file.string(), ": no column '", name, "' in its heading line: ", line);
            continue;
        }
        if (fields.size() != column.size())
            fail(file.string(), ":", number, ": ", column.size(), " fields were expected, found ", fields.size());
        const std::string& label = fields[column["label"]];
        const std::string& part = fields[column["split"]];
        if ((label != "normal" && label != "anomaly") || (part != "train" && part != "test"))
            fail(file.string(), ":", number, ": label normal or anomaly and split train or test were expected, found '",
                 label, "' and '", part, "'");
        Sample sample{fields[column["image"]], fields[column["object"]], label == "anomaly", {}};
        if (sample.file.empty() || sample.class_name.empty())
            fail(file.string(), ":", number, ": object and image must not be empty");
        if (sample.defective) sample.mask = fields[column["mask"]];
        if (part == "train" && sample.defective)
            fail(file.string(), ":", number, ": a defective picture among the training pictures");
        (part == "train" ? dataset.train : dataset.test).push_back(std::move(sample));
    }
    return dataset;
}

}  // namespace ltad
