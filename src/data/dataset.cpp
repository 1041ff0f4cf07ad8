#include "ltad/data/dataset.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {
namespace {

bool is_picture(const std::filesystem::path& file) {
    constexpr std::array<std::string_view, 7> endings = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"};
    std::string ending = file.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

template <typename Keep>
std::vector<std::string> names_in(const std::filesystem::path& folder, Keep keep) {
    std::vector<std::string> names;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with('.') && keep(entry)) names.push_back(name);
    }
    if (code && std::filesystem::exists(folder)) fail("cannot list ", folder.string(), ": ", code.message());
    std::sort(names.begin(), names.end());
    return names;
}

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
                fail((dataset.root / file).string(), ": no such file, though the data set lists it");
    }
}

void check_no_repeats(const Dataset& dataset) {
    std::set<std::string> seen;
    for (const auto* samples : {&dataset.train, &dataset.test})
        for (const Sample& sample : *samples)
            if (!seen.insert(sample.file).second) fail(dataset.root.string(), ": ", sample.file, " is listed twice");
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

}  // namespace

std::vector<std::string> folders_in(const std::filesystem::path& folder) {
    return names_in(folder, [](const auto& entry) { return entry.is_directory(); });
}

std::vector<std::string> pictures_in(const std::filesystem::path& folder) {
    return names_in(folder, [](const std::filesystem::directory_entry& entry) {
        if (!is_picture(entry.path())) return false;
        if (!entry.is_regular_file() && !entry.is_directory())
            fail(entry.path().string(), ": a picture's name, but no file that can be read (a broken link?)");
        return entry.is_regular_file();
    });
}

Dataset list_dataset(const DatasetConfig& config) {
    if (!std::filesystem::is_directory(config.root))
        fail(config.root, ": no such folder; dataset.root must be the folder of a data set of layout \"", config.layout,
             "\"");
    Dataset dataset;
    if (config.layout == "mvtec")
        dataset = list_mvtec(config);
    else if (config.layout == "visa")
        dataset = list_visa(config);
    else if (config.layout == "dagm")
        dataset = list_dagm(config);
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
    return dataset;
}

}  // namespace ltad
