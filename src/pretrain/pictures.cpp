#include "pictures.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace ltad {

at::Tensor make_pictures(std::size_t count, int size, const std::function<Image(std::size_t)>& picture) {
    at::Tensor all = at::empty({static_cast<std::int64_t>(count), size, size, 3}, at::kByte);
    std::uint8_t* const data = all.mutable_data_ptr<std::uint8_t>();
    const auto bytes = static_cast<std::ptrdiff_t>(size) * size * 3;
    at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const Image drawn = picture(static_cast<std::size_t>(i));
            std::copy(drawn.pixels.begin(), drawn.pixels.end(), data + i * bytes);
        }
    });
    return all;
}

}  // namespace ltad
