#include <algorithm>
#include "fuzzed.h"

#include "align/wordpiece.h"

using namespace ltad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Before the first NUL a vocabulary, behind it a text.
    const std::string_view all = fuzz::view(data, size);
    const std::size_t end = std::min(all.find(char{0}), all.size());
    const auto file = fuzz::put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n" + std::string(all.substr(0, end)));
    return fuzz::refused_or_read([&] {
        const WordPiece tokenizer(file, true);
        for (const std::int64_t id : tokenizer.encode(all.substr(end))) (void)tokenizer.token(id);
    });
}
