#include "ltad/align/torch_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/lfs_pointer.h"
#include "pickle.h"
#include "zip_archive.h"

namespace ltad {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view zip_magic = "PK\x03\x04";
/// The pickle of 0x1950a86a20f9469cfc6c, with which files of the older format begin.
constexpr std::string_view older_magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
constexpr std::int64_t older_protocol = 1001;

constexpr std::string_view rebuild_tensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view rebuild_parameter = "torch._utils._rebuild_parameter";
constexpr std::array<std::string_view, 13> known_globals = {
    "torch.DoubleStorage",     "torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage",
    "torch.IntStorage",        "torch.ShortStorage", "torch.CharStorage", "torch.ByteStorage",     "torch.BoolStorage",
    "collections.OrderedDict", rebuild_tensor,       rebuild_parameter};
/// Of the storages at the start of `known_globals`.
constexpr std::array<at::ScalarType, 10> storage_types = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                                          at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};

constexpr std::size_t max_dimensions = 64;
/// Tensors whose strides repeat elements grow when they are made contiguous: to no more than this many files.
constexpr std::uint64_t max_growth = 4;

/// What tensors are views of.
struct Storage {
    at::ScalarType type = at::kFloat;
    std::uint64_t count = 0;  ///< elements
    std::string_view bytes = {};
    std::shared_ptr<const void> owner = {};  ///< of the bytes
};

/// Shape and place of a tensor in its storage, in elements.
struct View {
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;
    std::int64_t offset = 0;
    std::int64_t count = 1;  ///< product of the sizes
};

/// Whether the value is a call of `global`, whose arguments then are its second part.
bool is_call(const PickleValue& value, std::string_view global) {
    return value.kind == Kind::call && value.parts->front().text == global;
}

/// The lengths or strides in a tuple; nothing where one is no integer or negative.
std::optional<std::vector<std::int64_t>> lengths_of(const PickleValue& value) {
    if (value.kind != Kind::tuple || value.parts->size() > max_dimensions) return std::nullopt;
    std::vector<std::int64_t> lengths;
    for (const PickleValue& length : *value.parts) {
        if (length.kind != Kind::integer || length.integer < 0) return std::nullopt;
        lengths.push_back(length.integer);
    }
    return lengths;
}

class TorchFile {
public:
    explicit TorchFile(const std::filesystem::path& path)
        : where_(path.string()), file_(std::make_shared<const MappedFile>(path)) {
        refuse_lfs_pointer(file_->bytes(), path);
    }

    Weights read();

private:
    Weights read_archive();
    Weights read_older();
    [[noreturn]] void refuse_format() const;

    void declare_storages(const Pickle& pickle, std::size_t id_size);
    void give_bytes(Storage& storage, const std::string& key, std::string_view bytes) const;
    Weights tensors_of(const PickleValue& object);
    [[nodiscard]] const PickleValue& state_dict_of(const PickleValue& object) const;
    at::Tensor tensor(const std::string& name, const PickleValue& value);
    at::Tensor contiguous(const std::string& name, const View& view, Storage& storage);
    [[nodiscard]] View view_of(const std::string& name, const std::vector<PickleValue>& arguments,
                               const Storage& storage) const;

    template <typename... Reasons>
    [[noreturn]] void bad(const Reasons&... reasons) const {
        fail(where_, ": ", reasons...);
    }

    std::string where_;
    std::shared_ptr<const MappedFile> file_;
    std::map<std::string, Storage, std::less<>> storages_;  // by their keys
    std::uint64_t grown_ = 0;                               // bytes of tensors that were made contiguous
};

Weights TorchFile::read() {
    if (file_->bytes().starts_with(zip_magic)) return read_archive();
    if (file_->bytes().starts_with(older_magic)) return read_older();
    refuse_format();
}

void TorchFile::refuse_format() const {
    const std::string_view bytes = file_->bytes();
    if (bytes.empty()) bad("an empty file, expected one of torch.save");
    if (bytes.size() > 8 && bytes[8] == '{')  // after the length of its header
        bad("a safetensors file, expected one of torch.save; let its name end in .safetensors");
    if (bytes.front() == older_magic.front())
        bad("a pickle, but not one of torch.save (or of another pickle protocol than 2, its default)");
    bad("not a file of torch.save: it begins with '", printable(bytes.substr(0, 24)), "'");
}

Weights TorchFile::read_archive() {
    constexpr std::string_view object = "data.pkl";
    const ZipArchive archive(file_->bytes(), where_);
    const std::string name = archive.name_ending_with(text("/", object));
    if (name.empty()) bad("a zip archive without ", object, ", expected one of torch.save");
    const std::string folder = name.substr(0, name.size() - object.size());
    if (archive.contains(folder + "constants.pkl"))
        bad("a TorchScript program, expected tensors: torch.save(model.state_dict(), path) in Python");
    if (archive.contains(folder + "byteorder") && archive.read(folder + "byteorder") != "little")
        bad("its numbers are not little-endian; save it again on a little-endian machine");

    const Pickle pickle(archive.read(name), known_globals, where_);
    declare_storages(pickle, 5);
    for (auto& [key, storage] : storages_) give_bytes(storage, key, archive.read(text(folder, "data/", key)));
    return tensors_of(pickle.value());
}

Weights TorchFile::read_older() {
    std::string_view rest = file_->bytes().substr(older_magic.size());
    const Pickle protocol(rest, {}, where_);
    if (protocol.value().integer != older_protocol) bad("not version ", older_protocol, " of PyTorch's older format");
    rest.remove_prefix(protocol.size());

    const Pickle system(rest, {}, where_);
    rest.remove_prefix(system.size());
    bool little_endian = false;
    if (system.value().kind == Kind::dictionary)
        for (std::size_t i = 0; i < system.value().parts->size(); i += 2)
            if ((*system.value().parts)[i].text == "little_endian")
                little_endian = (*system.value().parts)[i + 1].integer == 1;
    if (!little_endian) bad("its numbers are not little-endian; save it again on a little-endian machine");

    const Pickle object(rest, known_globals, where_);
    rest.remove_prefix(object.size());
    declare_storages(object, 6);

    const Pickle keys(rest, {}, where_);
    rest.remove_prefix(keys.size());
    if (keys.value().kind != Kind::list) bad("its storages are ", name_of(keys.value().kind), ", expected a list");
    for (const PickleValue& key : *keys.value().parts) {
        const auto found = storages_.find(key.text);
        if (found == storages_.end()) bad("its storage '", printable(key.text), "' belongs to no tensor");
        Storage& storage = found->second;
        std::uint64_t count = 0;
        if (rest.size() < sizeof count) bad("truncated before storage '", found->first, "'");
        std::memcpy(&count, rest.data(), sizeof count);
        rest.remove_prefix(sizeof count);
        if (count != storage.count)
            bad("storage '", found->first, "' has ", count, " elements, its tensor says ", storage.count);
        const std::size_t size = std::min(rest.size(), storage.count * at::elementSize(storage.type));
        give_bytes(storage, found->first, rest.substr(0, size));
        rest.remove_prefix(size);
    }
    return tensors_of(object.value());
}

/// Checks all persistent ids: ("storage", type, key, device, count of elements), and in the older format None for "not
/// a view of another storage".
void TorchFile::declare_storages(const Pickle& pickle, std::size_t id_size) {
    for (const PickleValue& id : pickle.persistent_ids()) {
        if (id.kind != Kind::tuple || id.parts->size() != id_size || id.parts->front().text != "storage")
            bad("a persistent id in its pickle is not a storage; this file may be malicious");
        const std::vector<PickleValue>& parts = *id.parts;
        const auto index =
            static_cast<std::size_t>(std::ranges::find(known_globals, parts[1].text) - known_globals.begin());
        if (parts[1].kind != Kind::global || index >= storage_types.size() || parts[2].kind != Kind::string ||
            parts[4].kind != Kind::integer)
            bad("a storage in its pickle is malformed");
        const std::string key(parts[2].text);
        if (parts.back().kind != (id_size == 6 ? Kind::none : Kind::integer))
            bad("storage '", printable(key), "' is a view of another one; save it again with a newer PyTorch");
        const Storage storage = {.type = storage_types.at(index),
                                 .count = static_cast<std::uint64_t>(parts[4].integer)};
        if (storage.count > file_->bytes().size() / at::elementSize(storage.type))
            bad("storage '", printable(key), "' claims ", parts[4].integer, " elements of ",
                at::elementSize(storage.type), " bytes, the file has ", file_->bytes().size(), " bytes");
        const Storage& known = storages_.emplace(key, storage).first->second;
        if (known.type != storage.type || known.count != storage.count)
            bad("storage '", printable(key), "' has two types or lengths");
    }
}

void TorchFile::give_bytes(Storage& storage, const std::string& key, std::string_view bytes) const {
    if (const std::uint64_t expected = storage.count * at::elementSize(storage.type); bytes.size() != expected)
        bad("storage '", printable(key), "' has ", bytes.size(), " bytes, expected ", expected,
            "; the file is truncated or damaged");
    storage.bytes = bytes;
    storage.owner = file_;
}

const PickleValue& TorchFile::state_dict_of(const PickleValue& object) const {
    if (object.kind != Kind::dictionary)
        bad("holds ", name_of(object.kind), ", expected a state dict: torch.save(model.state_dict(), path) in Python");
    const PickleValue* wrapped = nullptr;
    for (std::size_t i = 0; i < object.parts->size(); i += 2) {
        const PickleValue& key = (*object.parts)[i];
        const PickleValue& value = (*object.parts)[i + 1];
        if (value.kind != Kind::dictionary || (key.text != "state_dict" && key.text != "model" && key.text != "module"))
            continue;
        if (wrapped != nullptr && wrapped->parts != value.parts)
            bad("holds several state dicts, '", key.text, "' among them; save one alone");
        wrapped = &value;
    }
    return wrapped == nullptr ? object : *wrapped;
}

Weights TorchFile::tensors_of(const PickleValue& object) {
    const std::vector<PickleValue>& parts = *state_dict_of(object).parts;
    Weights weights;
    for (std::size_t i = 0; i < parts.size(); i += 2) {
        if (parts[i].kind != Kind::string)
            bad("a key of its state dict is ", name_of(parts[i].kind), ", expected the name of a tensor");
        const std::string name(parts[i].text);
        weights.insert_or_assign(name, tensor(name, parts[i + 1]));
    }
    return weights;
}

/// Arguments: storage, offset, sizes, strides, requires_grad, hooks and, since PyTorch 2.1, the bits of lazy
/// conjugation and negation where one is set.
at::Tensor TorchFile::tensor(const std::string& name, const PickleValue& value) {
    const PickleValue* call = &value;
    if (is_call(value, rebuild_parameter) && !value.parts->back().parts->empty())
        call = &value.parts->back().parts->front();
    if (!is_call(*call, rebuild_tensor))
        bad("its entry '", printable(name), "' is ", name_of(call->kind), ", expected a tensor; remove it in Python");
    const std::vector<PickleValue>& arguments = *call->parts->back().parts;
    if (arguments.size() != 6 || arguments[0].kind != Kind::persistent)
        bad("tensor '", printable(name), "' is not a plain one; save tensor.clone() in its place");
    const PickleValue& id = arguments[0].parts->front();
    Storage& storage = storages_.find((*id.parts)[2].text)->second;
    if (storage.owner == nullptr) bad("tensor '", printable(name), "' has no data");
    return contiguous(name, view_of(name, arguments, storage), storage);
}

View TorchFile::view_of(const std::string& name, const std::vector<PickleValue>& arguments,
                        const Storage& storage) const {
    const auto sizes = lengths_of(arguments[2]);
    auto strides = lengths_of(arguments[3]);
    const std::int64_t offset = arguments[1].integer;
    if (arguments[1].kind != Kind::integer || offset < 0 || !sizes || !strides || sizes->size() != strides->size())
        bad("tensor '", printable(name), "' has no valid shape (non-negative sizes and strides of at most ",
            max_dimensions, " dimensions)");
    std::int64_t extent = 1;  // as if no dimension were empty: LibTorch computes strides from it
    std::int64_t last = offset;
    bool empty = false;
    bool overflow = false;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
        const std::int64_t size = (*sizes)[i];
        if (size <= 1) (*strides)[i] = 0;  // not used, whatever it was
        std::int64_t step = 0;
        empty |= size == 0;
        overflow |= __builtin_mul_overflow(extent, std::max<std::int64_t>(size, 1), &extent) ||
                    __builtin_mul_overflow((*strides)[i], size - 1, &step) || __builtin_add_overflow(last, step, &last);
    }
    if (overflow) bad("tensor '", printable(name), "' has a shape ", shape_text(*sizes), " that overflows");
    if (!empty && static_cast<std::uint64_t>(last) >= storage.count)
        bad("tensor '", printable(name), "' reaches element ", last, " of a storage of ", storage.count);
    return {.sizes = *sizes, .strides = *strides, .offset = offset, .count = empty ? 0 : extent};
}

at::Tensor TorchFile::contiguous(const std::string& name, const View& view, Storage& storage) {
    const auto options = at::TensorOptions().dtype(storage.type);
    const std::size_t element = at::elementSize(storage.type);
    if (view.count == 0) return at::empty(view.sizes, options);

    if (reinterpret_cast<std::uintptr_t>(storage.bytes.data()) % element != 0) {
        // Once for all its tensors. The older format does not align its storages.
        const auto copy =
            std::make_shared<const at::Tensor>(at::empty({static_cast<std::int64_t>(storage.count)}, options));
        storage.bytes.copy(static_cast<char*>(copy->data_ptr()), storage.bytes.size());
        storage.bytes = {static_cast<const char*>(copy->data_ptr()), storage.bytes.size()};
        storage.owner = copy;
    }
    // from_blob wants a non-const pointer; nobody writes through it (see the header).
    char* const data = const_cast<char*>(storage.bytes.data()) + static_cast<std::size_t>(view.offset) * element;
    const auto keep = [owner = storage.owner](void*) {};
    const at::Tensor strided = at::from_blob(data, view.sizes, view.strides, keep, options);
    if (strided.is_contiguous()) return at::from_blob(data, view.sizes, keep, options);

    std::uint64_t size = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(view.count), element, &size) ||
        __builtin_add_overflow(grown_, size, &grown_) || grown_ > max_growth * file_->bytes().size())
        bad("tensor '", printable(name), "' of shape ", shape_text(view.sizes), " and those before it need ",
            "more than ", max_growth, " times the bytes of the file; save tensor.contiguous() in their place");
    return strided.contiguous();
}

}  // namespace

bool is_torch_file(const std::filesystem::path& path) {
    const MappedFile file(path);
    return file.bytes().starts_with(zip_magic) || file.bytes().starts_with(older_magic);
}

Weights load_torch_weights(const std::filesystem::path& path) { return TorchFile(path).read(); }

}  // namespace ltad
