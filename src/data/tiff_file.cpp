#include "tiff_file.h"

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "codecs.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

/// libtiff itself compares what it allocates with the size of the file; this is for what escapes it.
constexpr tmsize_t most_memory = tmsize_t{1} << 34;

constexpr std::uint32_t most_pages = 4096;

std::string formatted(const char* module, const char* format, va_list arguments) {
    char message[500];
    if (std::vsnprintf(message, sizeof message, format, arguments) < 0) return "libtiff reports an error";
    return module == nullptr ? std::string(message) : text(module, ": ", message);
}

}  // namespace

TiffFile::TiffFile(ByteSource& source, const std::string& name) : source_(source), name_(name) {
    open();
    try {
        choose_page();
    } catch (...) {
        TIFFClose(tiff_);
        throw;
    }
}

TiffFile::~TiffFile() { TIFFClose(tiff_); }

void TiffFile::open() {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   TIFFOpenOptionsFree);
    if (!options) throw std::bad_alloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), most_memory);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, this);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, this);
    tiff_ = TIFFClientOpenExt(
        "TIFF", "rm", this, on_read, [](thandle_t, void*, tmsize_t) { return tmsize_t{-1}; }, on_seek,
        [](thandle_t) { return 0; },
        [](thandle_t self) { return toff_t{static_cast<TiffFile*>(self)->source_.size()}; },
        [](thandle_t, void**, toff_t*) { return 0; }, [](thandle_t, void*, toff_t) {}, options.get());
    if (tiff_ == nullptr) fail_damaged(name_, "TIFF", reason_.empty() ? "it has no page" : reason_);
}

void TiffFile::choose_page() {
    std::optional<tdir_t> chosen;
    std::string reason;  // the chosen page's; what is wrong with others does not matter
    std::uint64_t pixels = 0;
    std::uint32_t pages = 0;
    do {
        if (++pages > most_pages)
            fail(name_, ": a TIFF of more than ", most_pages, " pages; save the one that is meant alone");
        const std::string found = std::exchange(reason_, "");
        if (is_secondary()) continue;
        const std::uint64_t size = std::uint64_t{width()} * height();
        if (chosen && size >= pixels)
            fail(name_, ": a TIFF of several pictures (pages ", *chosen + 1, " and ", pages,
                 "), of which it is not clear which is meant; save that one alone");
        if (chosen) continue;
        chosen = TIFFCurrentDirectory(tiff_);
        reason = found;
        pixels = size;
    } while (TIFFReadDirectory(tiff_) != 0);
    if (!chosen) fail(name_, ": a TIFF of reduced copies or masks alone, as cameras' raw files are; convert it first");
    reason_.clear();
    if (TIFFSetDirectory(tiff_, *chosen) == 0) fail_damaged(name_, "TIFF", reason_);
    reason_ = reason;
}

bool TiffFile::is_secondary() const {
    return (number32(TIFFTAG_SUBFILETYPE) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
}

std::uint16_t TiffFile::number(std::uint32_t tag) const {
    std::uint16_t value = 0;
    TIFFGetFieldDefaulted(tiff_, tag, &value);
    return value;
}

std::uint32_t TiffFile::number32(std::uint32_t tag) const {
    std::uint32_t value = 0;
    TIFFGetFieldDefaulted(tiff_, tag, &value);
    return value;
}

tmsize_t TiffFile::on_read(thandle_t self, void* to, tmsize_t count) {
    auto& file = *static_cast<TiffFile*>(self);
    const std::size_t read = file.source_.read(file.at_, to, static_cast<std::size_t>(count));
    file.at_ += read;
    return static_cast<tmsize_t>(read);
}

toff_t TiffFile::on_seek(thandle_t self, toff_t offset, int from) {
    auto& file = *static_cast<TiffFile*>(self);
    const std::uint64_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? file.at_ : file.source_.size();
    return file.at_ = base + offset;
}

int TiffFile::on_error(TIFF*, void* self, const char* module, const char* format, va_list arguments) {
    auto& reason = static_cast<TiffFile*>(self)->reason_;
    if (reason.empty()) reason = formatted(module, format, arguments);
    return 1;  // said; nothing for the terminal
}

int TiffFile::on_warning(TIFF* tiff, void* self, const char* module, const char* format, va_list arguments) {
    const std::string_view who = module == nullptr ? "" : module;
    const std::string_view what = format;
    const bool guesses = what.starts_with("Bogus") || what.starts_with("Wrong");  // where strips end, against the tag
    if (guesses || who.starts_with("JPEGLib") || who.starts_with("Fax"))
        return on_error(tiff, self, module, format, arguments);
    return 1;  // unknown tags and the like
}

}  // namespace ltad
