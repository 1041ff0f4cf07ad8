#include <algorithm>
#include <map>

#include "layouts.h"
#include "ltad/core/error.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

/// What a label is of: "0001" for "0001_label.PNG". Throws Error for a file that may be a label but tells no picture:
/// the picture would pass for a good one.
std::string picture_of(const std::filesystem::path& label) {
    const std::string stem = label.stem().string();
    constexpr std::string_view mark = "_label";
    if (stem.size() <= mark.size() || lower_case(stem).compare(stem.size() - mark.size(), mark.size(), mark) != 0)
        fail(label.string(),
             ": a label of no picture; <picture>_label.PNG was expected, without which its picture "
             "would pass for a good one");
    return stem.substr(0, stem.size() - mark.size());
}

/// Pictures of a half, their labels, and labels that no picture has.
struct Half {
    std::vector<std::string> pictures;
    std::map<std::string, std::string> labels;  // stem of the picture → file name of its label, "<stem>_label.PNG"
    std::vector<std::string> left_over;         // file names
};

/// A stem as somebody else may have written it: "0500" and "500" are one.
std::string alike(const std::string& stem) {
    const std::string small = lower_case(stem);
    return small.substr(std::min(small.find_first_not_of('0'), small.size()));
}

/// Sets apart the labels that no picture has. Throws Error where a picture may be meant, which would pass for a good
/// one.
void set_apart(Half& half, const std::filesystem::path& folder) {
    std::map<std::string, std::string> pictures;  // by stem
    std::map<std::string, std::string> resembling;
    for (const std::string& picture : half.pictures) {
        const std::string stem = std::filesystem::path(picture).stem().string();
        pictures[stem] = picture;
        resembling[alike(stem)] = picture;
    }
    const auto has_picture = [&](const auto& label) { return pictures.contains(label.first); };
    const bool none_fits = !half.pictures.empty() && std::none_of(half.labels.begin(), half.labels.end(), has_picture);
    for (const auto& [stem, file] : half.labels) {
        if (pictures.contains(stem)) continue;
        if (const auto close = resembling.find(alike(stem)); none_fits || close != resembling.end())
            fail((folder / file).string(), ": a label of no picture; is it that of ",
                 close != resembling.end() ? close->second : half.pictures.front(), "? Its label would be named ",
                 std::filesystem::path(close != resembling.end() ? close->second : half.pictures.front())
                     .stem()
                     .string(),
                 "_label.PNG, and without one a picture passes for a good one");
        half.left_over.push_back(file);
    }
}

Half read_half(const std::filesystem::path& folder, const std::string& label_folder) {
    Half half{.pictures = pictures_in(folder), .labels = {}, .left_over = {}};
    if (label_folder.empty()) return half;
    for (const auto& entry : std::filesystem::directory_iterator(folder / label_folder))
        if (has_foreign_picture_ending(entry.path()))
            fail(entry.path().string(),
                 ": a label of a format that is not read, without which its picture would pass "
                 "for a good one; save it as PNG");
    for (const std::string& file : pictures_in(folder / label_folder)) {
        const auto [other, is_new] = half.labels.emplace(picture_of(folder / label_folder / file), file);
        if (!is_new)
            fail((folder / label_folder / file).string(), ": a second label of picture ", other->first, " beside ",
                 other->second, "; leave one of them there");
    }
    set_apart(half, folder / label_folder);
    return half;
}

/// Labels alone tell defective pictures from good ones: in a folder of another name they would be missed.
void refuse_other_folders(const std::filesystem::path& half, const std::string& label_folder) {
    for (const std::string& folder : folders_in(half))
        if (folder != label_folder && !pictures_in(half / folder).empty())
            fail((half / folder).string(),
                 ": a folder of pictures where only \"Label\" is expected; if it holds the "
                 "labels, rename it to Label, else move it elsewhere");
}

/// Adds a class's "train" or "test"; labels that no picture has go to `left_over`, by their path from the class's
/// folder.
void add_half(Dataset& dataset, const std::filesystem::path& root, const std::string& name, const std::string& which,
              std::set<std::string>& left_over) {
    const std::string found = folder_named(root / name, which);
    if (found.empty()) return;
    const std::string folder = name + "/" + found;
    const std::string label_folder = folder_named(root / folder, "label");
    refuse_other_folders(root / folder, label_folder);
    const Half half = read_half(root / folder, label_folder);
    for (const std::string& file : half.left_over) left_over.insert(found + '/' + label_folder + '/' + file);
    std::map<std::string, std::string> owners;
    for (const std::string& picture : half.pictures) {
        const std::string stem = std::filesystem::path(picture).stem().string();
        const auto label = half.labels.find(stem);
        const bool defective = label != half.labels.end();
        if (defective && !owners.emplace(stem, picture).second)
            fail((root / folder / picture).string(), ": its label ", label->second, " is also that of ",
                 owners.at(stem), "; give the two pictures names that differ before the ending, and each a label");
        Sample sample{folder + "/" + picture, name, defective,
                      defective ? folder + "/" + label_folder + "/" + label->second : ""};
        if (which == "test")
            dataset.test.push_back(std::move(sample));
        else if (!defective)
            dataset.train.push_back(std::move(sample));
    }
}

/// Why a file below a class's folder is not used. Defective training pictures and all labels have their place.
std::string reason_not_used(const std::vector<std::string>& path) {
    const std::string half = lower_case(path.front());
    if (path.size() == 1 || (half != "train" && half != "test"))
        return has_picture_ending(path.back()) ? "neither in Train nor in Test" : "";
    if (path.size() > 2 && lower_case(path[1]) == "label") return "";
    return has_foreign_picture_ending(path.back()) ? reason_of_ending(path.back())
           : path.size() > 2                       ? "in a folder below " + half
                                                   : "";
}

}  // namespace

// Class<k>/{Train,Test}/*.PNG with Label/<stem>_label.PNG for the defective ones, the case of these names being
// nobody's concern; defective ones are left out of the training set.
Dataset list_dagm(const DatasetConfig& config, PassedOver& passed_over) {
    const std::filesystem::path root = config.root;
    Dataset dataset;
    for (const std::string& name : folders_in(root)) {
        const std::string train = folder_named(root / name, "train");
        if (train.empty()) continue;
        if (pictures_in(root / name / train).empty())
            fail((root / name / train).string(),
                 ": no picture directly in it, where dataset.layout \"dagm\" has them; "
                 "class '",
                 name, "' is empty");
        const std::size_t before = dataset.train.size();
        std::set<std::string> left_over;
        add_half(dataset, root, name, "train", left_over);
        if (dataset.train.size() == before)
            fail((root / name / train).string(), ": class '", name, "' has no training picture: all have a defect");
        add_half(dataset, root, name, "test", left_over);
        passed_over.look_through(name, files_of_class(dataset, name), [&](const std::vector<std::string>& path) {
            const bool is_label = path.size() == 3 && left_over.contains(path[0] + '/' + path[1] + '/' + path[2]);
            return is_label ? "labels without a picture" : reason_not_used(path);
        });
    }
    return dataset;
}

}  // namespace ltad
