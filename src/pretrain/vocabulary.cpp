#include "vocabulary.h"

#include <array>
#include <string_view>

namespace ltad {

std::string small_vocabulary() {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::string_view marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    constexpr std::array<std::string_view, 5> special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    constexpr std::array<std::string_view, 32> words = {
        "object", "an",      "the",     "of",        "with",    "without",  "photo",       "broken",
        "normal", "damaged", "good",    "defective", "perfect", "flawed",   "crack",       "scratch",
        "stain",  "hole",    "missing", "print",     "metal",   "wood",     "cloth",       "paper",
        "stone",  "glass",   "plastic", "surface",   "part",    "flawless", "unblemished", "abnormal"};
    std::string out;
    for (const auto token : special) out += std::string(token) + "\n";
    for (const char letter : letters) out += std::string(1, letter) + "\n";
    for (const char mark : marks) out += std::string(1, mark) + "\n";
    for (const auto word : words) out += std::string(word) + "\n";
    for (const char letter : letters) out += std::string("##") + letter + "\n";
    return out;
}

}  // namespace ltad
