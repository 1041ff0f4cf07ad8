#include <algorithm>
#include <cctype>
#include <set>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/log.h"

namespace ltad {
namespace {

/// "<stem>_mask.<ending>" as in MVTec AD, or "<stem>.<ending>".
std::string mask_for(const std::string& picture, const std::vector<std::string>& masks) {
    const std::string stem = std::filesystem::path(picture).stem().string();
    for (const std::string& mask : masks) {
        const std::string mask_stem = std::filesystem::path(mask).stem().string();
        if (mask_stem == stem + "_mask" || mask_stem == stem) return mask;
    }
    return {};
}

void add_defects(Dataset& dataset, const std::filesystem::path& root, const std::string& name,
                 const std::string& defect) {
    const std::string folder = name + "/test/" + defect;
    const std::string mask_folder = name + "/ground_truth/" + defect;
    const bool labelled_by_image = !std::filesystem::is_directory(root / name / "ground_truth");
    const auto masks = pictures_in(root / mask_folder);
    for (const std::string& picture : pictures_in(root / folder)) {
        Sample sample{.file = folder + "/" + picture, .class_name = name, .defective = true, .mask = {}};
        if (!labelled_by_image) {
            const std::string mask = mask_for(picture, masks);
            if (mask.empty())
                fail((root / sample.file).string(), ": no mask for it; ", mask_folder, "/",
                     std::filesystem::path(picture).stem().string(), "_mask.png was expected");
            sample.mask = mask_folder + "/" + mask;
        }
        dataset.test.push_back(std::move(sample));
    }
}

/// A folder that differs from "good" by case alone would make good pictures defective.
void check_kind(const std::filesystem::path& folder, const std::string& kind) {
    std::string lower = kind;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == "good" && kind != "good")
        fail((folder / kind).string(), ": is it the folder of good pictures? That has to be named \"good\"");
}

}  // namespace

// <class>/train/good, <class>/test/<good or defect>, <class>/ground_truth/<defect>. Folders with neither train/good nor
// test are no classes; a class without ground_truth is labelled by image.
Dataset list_mvtec(const DatasetConfig& config) {
    const std::filesystem::path root = config.root;
    Dataset dataset;
    for (const std::string& name : folders_in(root)) {
        if (!std::filesystem::is_directory(root / name / "train" / "good")) {
            if (!std::filesystem::is_directory(root / name / "test")) {
                log_warning_once(
                    text((root / name).string(), ": is no class (it has neither train/good nor test), and left out"));
                continue;
            }
            fail((root / name / "train" / "good").string(), ": no such folder; class '", name, "' is empty");
        }
        const auto train = pictures_in(root / name / "train" / "good");
        if (train.empty())
            fail((root / name / "train" / "good").string(), ": no picture in it; class '", name, "' is empty");
        for (const std::string& picture : train)
            dataset.train.push_back({name + "/train/good/" + picture, name, false, {}});
        for (const std::string& kind : folders_in(root / name / "test")) {
            check_kind(root / name / "test", kind);
            if (kind != "good") {
                add_defects(dataset, root, name, kind);
                continue;
            }
            for (const std::string& picture : pictures_in(root / name / "test" / "good"))
                dataset.test.push_back({name + "/test/good/" + picture, name, false, {}});
        }
    }
    return dataset;
}

}  // namespace ltad
