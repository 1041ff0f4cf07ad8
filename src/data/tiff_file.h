#pragma once

#include <cstdint>
#include <string>

#include <tiffio.h>

#include "byte_source.h"

namespace ltad {

/// A TIFF opened by libtiff on a byte source, at the page that is the picture: the only one that is no reduced copy or
/// mask, or the first where the others are smaller. What libtiff has to say stays off the terminal.
class TiffFile {
public:
    /// Throws Error naming `name` when it is damaged, or holds several pictures, or none.
    TiffFile(ByteSource& source, const std::string& name);
    ~TiffFile();
    TiffFile(const TiffFile&) = delete;
    TiffFile& operator=(const TiffFile&) = delete;

    [[nodiscard]] TIFF* handle() const { return tiff_; }
    [[nodiscard]] std::uint32_t width() const { return number32(TIFFTAG_IMAGEWIDTH); }
    [[nodiscard]] std::uint32_t height() const { return number32(TIFFTAG_IMAGELENGTH); }

    /// A tag of 16 bits, or its default.
    [[nodiscard]] std::uint16_t number(std::uint32_t tag) const;
    [[nodiscard]] std::uint32_t number32(std::uint32_t tag) const;

    /// What has gone wrong since the page was opened: the first error, or warning of a codec that has met bad data.
    /// Empty: nothing.
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    void open();
    void choose_page();
    /// The tags of the current page say that it is a smaller copy, or a mask, of another page.
    [[nodiscard]] bool is_secondary() const;

    static tmsize_t on_read(thandle_t self, void* to, tmsize_t count);
    static toff_t on_seek(thandle_t self, toff_t offset, int from);
    static int on_error(TIFF*, void* self, const char* module, const char* format, va_list arguments);
    static int on_warning(TIFF*, void* self, const char* module, const char* format, va_list arguments);

    ByteSource& source_;
    const std::string& name_;
    std::uint64_t at_ = 0;
    std::string reason_;
    TIFF* tiff_ = nullptr;
};

}  // namespace ltad
