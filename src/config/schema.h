#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/config/pretrain_config.h"

namespace ltad {

struct IntegerRange {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int32_t>::max();
};

struct NumberRange {
    double min = 0;
    double max = std::numeric_limits<double>::max();
    bool above_min = false;  ///< min itself is not allowed
};

using Choices = std::vector<std::string_view>;

/// Walks over the config's fields. Reading, writing and listing keys are visitors, so each field is described once.
class FieldVisitor {
public:
    virtual ~FieldVisitor() = default;
    virtual void section(std::string_view name, const std::function<void()>& fields) = 0;
    virtual void field(std::string_view name, std::int64_t& value, IntegerRange range) = 0;
    virtual void field(std::string_view name, double& value, NumberRange range) = 0;
    virtual void field(std::string_view name, bool& value) = 0;
    /// Free text where `choices` is empty.
    virtual void field(std::string_view name, std::string& value, const Choices& choices = {}) = 0;
    virtual void field(std::string_view name, ClassOrder& value) = 0;
    /// A text or a list of texts.
    virtual void field(std::string_view name, std::vector<std::string>& texts) = 0;
    /// "auto" (empty) or strictly increasing block indices.
    virtual void field(std::string_view name, std::vector<std::int64_t>& taps) = 0;
    /// "auto" (empty) or a number.
    virtual void field(std::string_view name, std::optional<double>& value, NumberRange range) = 0;
};

/// Shows every field to the visitor: the one list of keys, ranges and choices.
void visit_fields(Config& config, FieldVisitor& visitor);
void visit_fields(PretrainConfig& config, FieldVisitor& visitor);

/// A mistake: the key to blame and a sentence that names it.
struct Mistake {
    std::string key;
    std::string sentence;
};

/// A run's name, which its folder gets.
[[nodiscard]] std::optional<Mistake> check_name(const std::string& name);

/// What single ranges cannot say: one mistake for each rule between fields that is broken.
[[nodiscard]] std::vector<Mistake> check_fields_together(const Config& config);
[[nodiscard]] std::vector<Mistake> check_fields_together(const PretrainConfig& config);

}  // namespace ltad
