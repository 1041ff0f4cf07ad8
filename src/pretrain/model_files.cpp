#include "model_files.h"

#include <set>
#include <string>
#include <vector>

#include "ltad/core/files.h"

namespace ltad {

namespace {

std::vector<std::string> tokenizer_files(const std::filesystem::path& folder) {
    static const std::set<std::string> names = {"vocab.txt", "tokenizer.json", "tokenizer_config.json",
                                                "special_tokens_map.json"};
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (names.contains(name) || entry.path().extension() == ".model") found.push_back(name);
    }
    return found;
}

}  // namespace

void claim_model_files(Outputs& outputs, const std::filesystem::path& folder, const std::filesystem::path& tokenizer,
                       const std::string& option) {
    std::vector<std::string> names =
        tokenizer.empty() ? std::vector<std::string>{"vocab.txt"} : tokenizer_files(tokenizer);
    names.insert(names.end(), {"model.safetensors", "preprocessor_config.json", "config.json"});
    for (const std::string& name : names) outputs.claim(folder / name, option);
}

void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to) {
    for (const std::string& name : tokenizer_files(from)) write_file_atomically(to / name, read_file(from / name));
}

}  // namespace ltad
