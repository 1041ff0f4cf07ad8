#include "ltad/data/dataset.h"

#include <algorithm>
#include <map>
#include <set>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "ltad/core/log.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

/// Where a layout has its pictures.
std::string places_in(const DatasetConfig& config) {
    if (config.layout == "jsonl") return "one JSON object a line in " + config.train + " and " + config.test;
    if (config.layout == "visa") return "split_csv/1cls.csv and the files that it lists";
    return config.layout == "dagm" ? "<class>/Train/*.PNG and <class>/Test/*.PNG"
                                   : "<class>/train/good/*.png and <class>/test/<good or a defect>/*.png";
}

void check_files(const Dataset& dataset, const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) {
        if (!is_utf8(sample.file))
            fail(dataset.root.string(), ": the name of ", as_utf8(sample.file),
                 " is not UTF-8, which files of results need; rename it");
        for (const std::string& file : {sample.file, sample.mask})
            if (!file.empty() && !std::filesystem::is_regular_file(dataset.root / file))
                fail((dataset.root / file).string(), ": no such file, though the data set lists it",
                     file.find('\\') == std::string::npos ? "" : " (folders are told apart by '/', not by '\\')");
    }
}

void check_no_repeats(const Dataset& dataset) {
    std::map<std::string, const char*> seen;  // in which half
    for (const auto& [samples, half] : {std::pair(&dataset.train, "training"), std::pair(&dataset.test, "test")})
        for (const Sample& sample : *samples)
            if (const auto [other, is_new] = seen.emplace(sample.file, half); !is_new)
                fail(dataset.root.string(), ": ", sample.file, " is listed twice, as a ", other->second, " and as a ",
                     half, " picture");
}

/// Pictures of a class.
struct Counts {
    std::int64_t train = 0;
    std::int64_t test = 0;
};

void check_halves(const Dataset& dataset, const std::map<std::string, Counts>& counts) {
    for (const auto& [half, count_of] : {std::pair("training", &Counts::train), std::pair("test", &Counts::test)}) {
        std::string without;
        for (const auto& [name, count] : counts)
            if (count.*count_of == 0) without += text(without.empty() ? "" : ", ", '\'', name, '\'');
        if (!without.empty())
            fail(dataset.root.string(), ": without any ", half, " picture: ", without,
                 "; every class needs some, good ones are enough");
    }
}

void check_classes(const Dataset& dataset) {
    std::map<std::string, Counts> counts;
    std::map<std::string, bool> has_masks;
    for (const Sample& s : dataset.train) ++counts[s.class_name].train;
    for (const Sample& s : dataset.test) {
        ++counts[s.class_name].test;
        has_masks[s.class_name] |= !s.mask.empty();
    }
    check_halves(dataset, counts);
    for (const Sample& s : dataset.test)
        if (s.defective && s.mask.empty() && has_masks[s.class_name])
            fail((dataset.root / s.file).string(), ": a defective picture without a mask, in a class that has masks");
}

/// A mask that is one of the pictures is none; one that two pictures share may be right where a list says so, and is
/// said.
void check_mask_owners(const Dataset& dataset) {
    std::set<std::string> pictures;
    for (const auto* samples : {&dataset.train, &dataset.test})
        for (const Sample& s : *samples) pictures.insert(s.file);
    std::map<std::string, std::string> owners;
    for (const Sample& s : dataset.test) {
        if (s.mask.empty()) continue;
        if (pictures.contains(s.mask))
            fail((dataset.root / s.mask).string(), ": the mask of ", s.file, ", and a picture of the data set itself");
        const auto [other, is_new] = owners.emplace(s.mask, s.file);
        if (!is_new)
            log_warning_once(text(dataset.root.string(), ": class '", s.class_name, "': pictures share a mask, e.g. ",
                                  other->second, " and ", s.file, " have ", s.mask));
    }
}

}  // namespace

std::string listed_path(const std::string& path, const std::string& where) {
    const std::filesystem::path given(path);
    if (given.is_absolute() || std::find(given.begin(), given.end(), "..") != given.end())
        fail(where, ": ", path, ": paths must be relative to the data set's root, without '..'");
    const std::string normal = given.lexically_normal().generic_string();
    if (normal == "." || normal.ends_with('/')) fail(where, ": ", path, ": a file's path was expected");
    return normal;
}

std::set<std::string> files_of_class(const Dataset& dataset, const std::string& class_name) {
    std::set<std::string> files;
    for (const auto* samples : {&dataset.train, &dataset.test})
        for (const Sample& sample : *samples)
            if (sample.class_name == class_name) files.insert({sample.file, sample.mask});
    return files;
}

std::string reason_of_ending(const std::string& name) {
    return has_picture_ending(name) ? "" : "an ending other than .png, .jpg, .jpeg, .bmp, .tif, .tiff and .webp";
}

Dataset list_dataset(const DatasetConfig& config) {
    if (!std::filesystem::is_directory(config.root))
        fail(config.root, ": no such folder; dataset.root must be the folder of a data set of layout \"", config.layout,
             "\"");
    Dataset dataset;
    PassedOver passed_over(config.root);
    if (config.layout == "mvtec")
        dataset = list_mvtec(config, passed_over);
    else if (config.layout == "visa")
        dataset = list_visa(config, passed_over);
    else if (config.layout == "dagm")
        dataset = list_dagm(config, passed_over);
    else if (config.layout == "jsonl")
        dataset = list_jsonl(config);
    else
        throw UsageError(text("dataset.layout: \"", config.layout, "\" is not mvtec, visa, dagm or jsonl"));
    dataset.root = config.root;
    const auto by_file = [](const Sample& a, const Sample& b) { return a.file < b.file; };
    std::sort(dataset.train.begin(), dataset.train.end(), by_file);
    std::sort(dataset.test.begin(), dataset.test.end(), by_file);
    if (dataset.train.empty() && dataset.test.empty())
        fail(config.root, ": no class with pictures was found; dataset.layout \"", config.layout, "\" has ",
             places_in(config));
    check_classes(dataset);
    check_no_repeats(dataset);
    check_files(dataset, dataset.train);
    check_files(dataset, dataset.test);
    check_mask_owners(dataset);
    passed_over.say();
    return dataset;
}

}  // namespace ltad
