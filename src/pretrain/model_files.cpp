#include "model_files.h"

#include <set>
#include <string>

#include "ltad/core/files.h"

namespace ltad {

void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to) {
    static const std::set<std::string> names = {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"};
    for (const auto& entry : std::filesystem::directory_iterator(from)) {
        const std::string name = entry.path().filename().string();
        if (names.contains(name) || entry.path().extension() == ".model")
            write_file_atomically(to / name, read_file(entry.path()));
    }
}

}  // namespace ltad
