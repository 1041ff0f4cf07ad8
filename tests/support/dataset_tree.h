#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/core/image.h"
#include "support/temporary_folder.h"

// Tiny but valid data sets on disk, in each of the layouts. Every writer makes the tree under `root` and returns the
// DatasetConfig that lists it:
//
//     TemporaryFolder folder;
//     const DatasetConfig config = write_mvtec_tree(folder / "set", {{.name = "bottle"}, {.name = "zipper", .train =
//     9}}); const Dataset dataset = list_dataset(config);

namespace ltad::test {

/// Writes bytes as they are, making the folder; unlike write_file_atomically without a wait for the disk.
inline void put_file(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::filesystem::filesystem_error("put_file", path, std::make_error_code(std::errc::io_error));
}

/// Where the defect of a tiny picture is: a square of a quarter of its side, off the middle.
inline bool in_tiny_defect(int x, int y, int size) {
    return x >= size / 2 && x < size / 2 + size / 4 && y >= size / 4 && y < size / 4 + size / 4;
}

/// A checked pattern whose phase and tint follow from `number`, so that different numbers give different pictures;
/// a defective one is white inside its mask.
inline Image tiny_image(int number, int size = 16, bool defective = false) {
    Image image{.width = size, .height = size, .pixels = {}};
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            for (int c = 0; c < 3; ++c) {
                const int pattern = 40 + 50 * ((x / 4 + y / 4 + number) % 2) + (29 * number * (c + 1)) % 64;
                image.pixels.push_back(
                    static_cast<std::uint8_t>(defective && in_tiny_defect(x, y, size) ? 255 : pattern));
            }
    return image;
}

/// The mask of a defective tiny picture.
inline Mask tiny_mask(int size = 16) {
    Mask mask{.width = size, .height = size, .pixels = {}};
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) mask.pixels.push_back(in_tiny_defect(x, y, size) ? 1 : 0);
    return mask;
}

/// One class of a tree, and how many pictures of each sort it gets.
struct TreeClass {
    std::string name = {};
    int train = 3;
    int test_good = 2;
    int test_defective = 2;
    int train_defective = 0;  ///< layout dagm only, which leaves them out
    bool masks = true;        ///< false: labelled by image (not in layout dagm, where the mask is the label)
    int size = 16;            ///< side of its pictures in pixels
};

/// "007", as files are numbered here.
inline std::string tree_number(int i) {
    const std::string digits = std::to_string(i);
    return std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

inline DatasetConfig tree_config(const std::string& layout, const std::filesystem::path& root) {
    DatasetConfig config;
    config.layout = layout;
    config.root = root.string();
    return config;
}

/// Writes a class's pictures one by one, each with another content.
class TreeWriter {
public:
    TreeWriter(std::filesystem::path root, const TreeClass& c) : root_(std::move(root)), class_(c) {
        for (const char letter : c.name) number_ += letter;
    }

    void good(const std::string& file) { put_file(root_ / file, encode_png(tiny_image(number_++, class_.size))); }
    void defective(const std::string& file) {
        put_file(root_ / file, encode_png(tiny_image(number_++, class_.size, true)));
    }
    void mask(const std::string& file) { put_file(root_ / file, encode_png(tiny_mask(class_.size))); }

private:
    std::filesystem::path root_;
    const TreeClass& class_;
    int number_ = 0;
};

/// `<class>/train/good/000.png`, `test/good/000.png`, `test/broken/000.png`, `ground_truth/broken/000_mask.png`.
inline DatasetConfig write_mvtec_tree(const std::filesystem::path& root, const std::vector<TreeClass>& classes) {
    for (const TreeClass& c : classes) {
        TreeWriter tree(root, c);
        for (int i = 0; i < c.train; ++i) tree.good(c.name + "/train/good/" + tree_number(i) + ".png");
        for (int i = 0; i < c.test_good; ++i) tree.good(c.name + "/test/good/" + tree_number(i) + ".png");
        for (int i = 0; i < c.test_defective; ++i) {
            tree.defective(c.name + "/test/broken/" + tree_number(i) + ".png");
            if (c.masks) tree.mask(c.name + "/ground_truth/broken/" + tree_number(i) + "_mask.png");
        }
    }
    return tree_config("mvtec", root);
}

/// `<class>/Data/Images/{Normal,Anomaly}/000.png`, `<class>/Data/Masks/Anomaly/000.png` and `split_csv/1cls.csv`.
inline DatasetConfig write_visa_tree(const std::filesystem::path& root, const std::vector<TreeClass>& classes) {
    std::string csv = "object,split,label,image,mask\n";
    for (const TreeClass& c : classes) {
        TreeWriter tree(root, c);
        for (int i = 0; i < c.train + c.test_good; ++i) {
            const std::string file = c.name + "/Data/Images/Normal/" + tree_number(i) + ".png";
            tree.good(file);
            csv += c.name + (i < c.train ? ",train" : ",test") + ",normal," + file + ",\n";
        }
        for (int i = 0; i < c.test_defective; ++i) {
            const std::string file = c.name + "/Data/Images/Anomaly/" + tree_number(i) + ".png";
            const std::string mask = c.name + "/Data/Masks/Anomaly/" + tree_number(i) + ".png";
            tree.defective(file);
            if (c.masks) tree.mask(mask);
            csv += c.name + ",test,anomaly," + file + "," + (c.masks ? mask : "") + "\n";
        }
    }
    put_file(root / "split_csv" / "1cls.csv", csv);
    return tree_config("visa", root);
}

/// `<class>/{Train,Test}/001.PNG`, `Label/001_label.PNG` beside each defective one.
inline DatasetConfig write_dagm_tree(const std::filesystem::path& root, const std::vector<TreeClass>& classes) {
    for (const TreeClass& c : classes) {
        TreeWriter tree(root, c);
        const auto half = [&](const std::string& folder, int good, int defective) {
            for (int i = 1; i <= good + defective; ++i) {
                const std::string picture = folder + "/" + tree_number(i) + ".PNG";
                if (i <= good) {
                    tree.good(picture);
                } else {
                    tree.defective(picture);
                    tree.mask(folder + "/Label/" + tree_number(i) + "_label.PNG");
                }
            }
        };
        half(c.name + "/Train", c.train, c.train_defective);
        half(c.name + "/Test", c.test_good, c.test_defective);
    }
    return tree_config("dagm", root);
}

/// `<class>/{train,good,broken,mask}-000.png` and the lists `train.jsonl` and `test.jsonl` beside the classes.
inline DatasetConfig write_jsonl_tree(const std::filesystem::path& root, const std::vector<TreeClass>& classes) {
    const auto line = [](const std::string& file, int label, const std::string& mask, const std::string& name) {
        return R"({"filename": ")" + file + R"(", "label": )" + std::to_string(label) + R"(, "label_name": ")" +
               (label == 0 ? "good" : "defective") + (mask.empty() ? "" : R"(", "maskname": ")" + mask) +
               R"(", "clsname": ")" + name + "\"}\n";
    };
    std::string train;
    std::string test;
    for (const TreeClass& c : classes) {
        TreeWriter tree(root, c);
        for (int i = 0; i < c.train; ++i) {
            const std::string file = c.name + "/train-" + tree_number(i) + ".png";
            tree.good(file);
            train += line(file, 0, "", c.name);
        }
        for (int i = 0; i < c.test_good; ++i) {
            const std::string file = c.name + "/good-" + tree_number(i) + ".png";
            tree.good(file);
            test += line(file, 0, "", c.name);
        }
        for (int i = 0; i < c.test_defective; ++i) {
            const std::string file = c.name + "/broken-" + tree_number(i) + ".png";
            const std::string mask = c.masks ? c.name + "/mask-" + tree_number(i) + ".png" : "";
            tree.defective(file);
            if (c.masks) tree.mask(mask);
            test += line(file, 1, mask, c.name);
        }
    }
    put_file(root / "train.jsonl", train);
    put_file(root / "test.jsonl", test);
    DatasetConfig config = tree_config("jsonl", root);
    config.train = (root / "train.jsonl").string();
    config.test = (root / "test.jsonl").string();
    return config;
}

}  // namespace ltad::test
