#include "ltad/split/kept_files.h"

namespace ltad {

void keep_data_set(Outputs& outputs, const DatasetConfig& dataset,
                   std::initializer_list<const std::vector<Sample>*> samples) {
    const std::filesystem::path root = dataset.root;
    for (const auto* list : samples)
        for (const Sample& sample : *list) {
            outputs.keep(root / sample.file, "a picture of the data set");
            if (!sample.mask.empty()) outputs.keep(root / sample.mask, "a mask of the data set");
        }
    for (const std::string& list : {dataset.train, dataset.test})
        if (!list.empty()) outputs.keep(list, "a list of the data set");
    if (dataset.layout == "visa") outputs.keep(root / "split_csv" / "1cls.csv", "a list of the data set");
}

}  // namespace ltad
