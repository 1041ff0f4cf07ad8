#include <algorithm>
#include <map>

#include "layouts.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

/// Stem of the picture → file name of its label, "<stem>_label.PNG".
std::map<std::string, std::string> labels_in(const std::filesystem::path& folder) {
    std::map<std::string, std::string> labels;
    for (const std::string& file : pictures_in(folder)) {
        const std::string stem = std::filesystem::path(file).stem().string();
        if (stem.ends_with("_label")) labels[stem.substr(0, stem.size() - 6)] = file;
    }
    return labels;
}

void add_half(Dataset& dataset, const std::filesystem::path& root, const std::string& name, const std::string& half) {
    const std::string folder = name + "/" + half;
    const auto labels = labels_in(root / folder / "Label");
    for (const std::string& picture : pictures_in(root / folder)) {
        const auto label = labels.find(std::filesystem::path(picture).stem().string());
        const bool defective = label != labels.end();
        Sample sample{folder + "/" + picture, name, defective, defective ? folder + "/Label/" + label->second : ""};
        if (half == "Test")
            dataset.test.push_back(std::move(sample));
        else if (!defective)
            dataset.train.push_back(std::move(sample));
    }
}

}  // namespace

// Class<k>/{Train,Test}/*.PNG with Label/<stem>_label.PNG for the defective ones; those are left out of the training
// set.
Dataset list_dagm(const DatasetConfig& config) {
    const std::filesystem::path root = config.root;
    Dataset dataset;
    for (const std::string& name : folders_in(root)) {
        if (!std::filesystem::is_directory(root / name / "Train")) continue;
        if (pictures_in(root / name / "Train").empty())
            fail((root / name / "Train").string(), ": no picture in it; class '", name, "' is empty");
        const std::size_t before = dataset.train.size();
        add_half(dataset, root, name, "Train");
        if (dataset.train.size() == before)
            fail((root / name / "Train").string(), ": class '", name, "' has no training picture: all have a defect");
        add_half(dataset, root, name, "Test");
    }
    return dataset;
}

}  // namespace ltad
