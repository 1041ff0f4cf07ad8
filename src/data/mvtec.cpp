#include <algorithm>
#include <map>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

std::string stem_of(const std::string& file) { return std::filesystem::path(file).stem().string(); }

/// The folders of a class under the names that they have; empty where one is not there.
struct ClassFolders {
    std::string name;
    std::string train, train_good;
    std::string test;
    std::string ground_truth;
};

ClassFolders folders_of(const std::filesystem::path& root, const std::string& name) {
    ClassFolders folders{.name = name,
                         .train = folder_named(root / name, "train"),
                         .train_good = {},
                         .test = folder_named(root / name, "test"),
                         .ground_truth = folder_named(root / name, "ground_truth")};
    if (!folders.train.empty()) folders.train_good = folder_named(root / name / folders.train, "good");
    return folders;
}

/// Pairs a kind's pictures with their masks: "<stem>_mask.<ending>" as in MVTec AD, or "<stem>.<ending>". Each picture
/// has one mask that is no other's: of two that could be it, either may be wrong.
class Masks {
public:
    /// `folder`: relative to the root.
    Masks(const std::filesystem::path& root, std::string folder)
        : root_(root), folder_(std::move(folder)), names_(pictures_in(root / folder_)) {}

    [[nodiscard]] std::string mask_of(const std::string& picture) {
        const std::string stem = stem_of(picture);
        std::string found;
        for (const std::string& name : names_) {
            const std::string mask_stem = stem_of(name);
            const bool marked = mask_stem.size() == stem.size() + 5 && mask_stem.starts_with(stem) &&
                                lower_case(mask_stem.substr(stem.size())) == "_mask";
            if (!marked && mask_stem != stem) continue;
            if (!found.empty())
                fail((root_ / picture).string(), ": two files could be its mask, ", folder_, '/', found, " and ",
                     folder_, '/', name, "; leave one of them there");
            found = name;
        }
        if (found.empty())
            fail(
                (root_ / picture).string(), ": no mask for it; ", folder_, '/', stem, "_mask.png was expected",
                std::filesystem::is_directory(root_ / folder_ / stem)
                    ? text("; ", folder_, '/', stem, " is a folder: its masks have to be put together into one picture")
                    : std::string());
        const auto [other, is_new] = owners_.emplace(found, picture);
        if (!is_new)
            fail((root_ / picture).string(), ": its mask ", folder_, '/', found, " is also that of ", other->second,
                 "; give the two pictures names that differ before the ending, and each a mask");
        return folder_ + '/' + found;
    }

private:
    std::filesystem::path root_;
    std::string folder_;
    std::vector<std::string> names_;
    std::map<std::string, std::string> owners_;
};

void add_defects(Dataset& dataset, const std::filesystem::path& root, const ClassFolders& folders,
                 const std::string& kind) {
    const std::string folder = folders.name + '/' + folders.test + '/' + kind;
    const auto pictures = pictures_in(root / folder);
    if (folders.ground_truth.empty()) {  // labelled by image
        for (const std::string& picture : pictures)
            dataset.test.push_back({folder + '/' + picture, folders.name, true, {}});
        return;
    }
    const std::string masks_of_class = folders.name + '/' + folders.ground_truth;
    const std::string own = folder_named(root / masks_of_class, lower_case(kind));
    Masks masks(root, masks_of_class + '/' + (own.empty() ? kind : own));
    for (const std::string& picture : pictures) {
        const std::string file = folder + '/' + picture;
        dataset.test.push_back({file, folders.name, true, masks.mask_of(file)});
    }
}

void add_class(Dataset& dataset, const std::filesystem::path& root, const ClassFolders& folders) {
    const std::string train = folders.name + '/' + folders.train + '/' + folders.train_good;
    const auto pictures = pictures_in(root / train);
    if (pictures.empty()) fail((root / train).string(), ": no picture in it; class '", folders.name, "' is empty");
    for (const std::string& picture : pictures)
        dataset.train.push_back({train + '/' + picture, folders.name, false, {}});
    if (folders.test.empty()) return;
    const std::string test = folders.name + '/' + folders.test;
    const std::string good = folder_named(root / test, "good");
    for (const std::string& kind : folders_in(root / test)) {
        if (kind != good) {
            add_defects(dataset, root, folders, kind);
            continue;
        }
        for (const std::string& picture : pictures_in(root / test / good))
            dataset.test.push_back({test + '/' + good + '/' + picture, folders.name, false, {}});
    }
}

/// For a class whose good pictures lie elsewhere: other words for good, or pictures one folder too high.
std::string what_is_there(const std::filesystem::path& train) {
    std::string names;
    for (const std::string& folder : folders_in(train)) names += (names.empty() ? "" : ", ") + folder;
    if (!names.empty()) return text("; ", train.string(), " holds ", names, ", where \"good\" is expected");
    const std::size_t pictures = pictures_in(train).size();
    return pictures == 0 ? "" : text("; ", pictures, " pictures lie in ", train.string(), " itself");
}

/// Why a file below a class's folder is not used.
std::string reason_not_used(const std::vector<std::string>& path) {
    const std::string half = lower_case(path.front());
    const bool is_known = half == "train" || half == "test" || half == "ground_truth";
    if (!is_known || path.size() == 1)
        return has_picture_ending(path.back()) ? "neither in train/good nor in test or ground_truth" : "";
    if (const std::string reason = reason_of_ending(path.back()); !reason.empty()) return reason;
    if (half == "train")
        return path.size() > 3 && lower_case(path[1]) == "good" ? "in a folder below; move them up into train/good"
                                                                : "in train, but not in train/good";
    if (path.size() == 2) return "directly in " + half + ", in no kind's folder";
    if (path.size() > 3) return "in a folder below; move them up into " + half + "/<kind>";
    return lower_case(path[1]) == "good" ? "masks of good pictures" : "masks without a picture in test";
}

}  // namespace

// <class>/train/good, <class>/test/<good or defect>, <class>/ground_truth/<defect>, the case of these names being
// nobody's concern. Folders with neither train/good nor test are no classes; a class without ground_truth is labelled
// by image.
Dataset list_mvtec(const DatasetConfig& config, PassedOver& passed_over) {
    const std::filesystem::path root = config.root;
    Dataset dataset;
    for (const std::string& name : folders_in(root)) {
        const ClassFolders folders = folders_of(root, name);
        if (folders.train_good.empty() && folders.test.empty()) {
            log_warning_once(
                text((root / name).string(), ": is no class (it has neither train/good nor test), and left out"));
            continue;
        }
        if (folders.train_good.empty())
            fail((root / name / "train" / "good").string(), ": no such folder; class '", name, "' is empty",
                 what_is_there(root / name / folders.train));
        add_class(dataset, root, folders);
        passed_over.look_through(name, files_of_class(dataset, name), reason_not_used);
    }
    return dataset;
}

}  // namespace ltad
