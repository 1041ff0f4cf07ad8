#pragma once

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ltad::test {

/// An element of an XML document: its attributes, and the text directly in it with entities decoded.
struct Element {
    std::string name;
    std::map<std::string, std::string> attributes;
    std::string text;
    std::size_t depth = 0;

    [[nodiscard]] std::string get(const std::string& attribute) const {
        const auto found = attributes.find(attribute);
        return found == attributes.end() ? "" : found->second;
    }
    [[nodiscard]] double number(const std::string& attribute) const { return std::stod(attributes.at(attribute)); }
};

/// Reads XML strictly and throws where it is not well-formed: tags must nest, attributes be quoted and unique, < and &
/// be escaped. No DTD, no comments, no CDATA.
class Xml {
public:
    explicit Xml(std::string_view document) : rest_(document) {
        for (const std::string_view start : {"<?xml", "<!DOCTYPE html"})
            if (rest_.starts_with(start)) rest_.remove_prefix(rest_.find('>') + 1);
        while (!rest_.empty()) rest_[0] == '<' ? tag() : characters();
        if (!open_.empty()) bad("no end of " + elements_[open_.back()].name);
    }

    [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
    [[nodiscard]] std::vector<Element> named(const std::string& name, const std::string& of_class = "") const {
        std::vector<Element> found;
        for (const Element& element : elements_)
            if (element.name == name && (of_class.empty() || element.get("class") == of_class))
                found.push_back(element);
        return found;
    }
    /// The text of all elements of a name.
    [[nodiscard]] std::vector<std::string> texts(const std::string& name) const {
        std::vector<std::string> found;
        for (const Element& element : named(name)) found.push_back(element.text);
        return found;
    }

private:
    [[noreturn]] void bad(const std::string& what) const {
        throw std::runtime_error("not well-formed: " + what + " before \"" + std::string(rest_.substr(0, 60)) + '"');
    }

    static std::string decode(std::string_view text) {
        static const std::map<std::string_view, char> entities = {
            {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '<') throw std::runtime_error("not well-formed: a bare <");
            if (text[i] != '&') {
                out += text[i];
                continue;
            }
            const std::size_t end = text.find(';', i);
            const auto found = entities.find(text.substr(i + 1, end == text.npos ? 0 : end - i - 1));
            if (found == entities.end()) throw std::runtime_error("not well-formed: a bare & or unknown entity");
            out += found->second;
            i = end;
        }
        return out;
    }

    void characters() {
        const std::string text = decode(rest_.substr(0, rest_.find('<')));
        rest_.remove_prefix(std::min(rest_.find('<'), rest_.size()));
        if (!open_.empty()) elements_[open_.back()].text += text;
        if (open_.empty() && text.find_first_not_of(" \n") != text.npos) bad("text outside the document");
    }

    std::string word() {
        const std::size_t end = rest_.find_first_of(" \n=/>");
        if (end == 0 || end == rest_.npos) bad("a name was expected");
        const std::string found(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return found;
    }

    void skip(std::string_view expected) {
        if (!rest_.starts_with(expected)) bad("expected " + std::string(expected));
        rest_.remove_prefix(expected.size());
    }

    void tag() {
        skip("<");
        if (rest_.starts_with('/')) {
            skip("/");
            const std::string name = word();
            if (open_.empty() || elements_[open_.back()].name != name) bad("end of " + name + ", which is not open");
            open_.pop_back();
            return skip(">");
        }
        if (open_.empty() && !elements_.empty()) bad("a second root");
        Element element{word(), {}, {}, open_.size()};
        while (rest_.find_first_not_of(" \n") > 0) {
            rest_.remove_prefix(rest_.find_first_not_of(" \n"));
            if (rest_.starts_with('/') || rest_.starts_with('>')) break;
            const std::string name = word();
            skip("=\"");
            const std::size_t end = rest_.find('"');
            if (end == rest_.npos) bad("an attribute without an end");
            if (!element.attributes.emplace(name, decode(rest_.substr(0, end))).second) bad(name + " twice");
            rest_.remove_prefix(end + 1);
        }
        const bool empty = rest_.starts_with('/');
        skip(empty ? "/>" : ">");
        if (!empty) open_.push_back(elements_.size());
        elements_.push_back(std::move(element));
    }

    std::string_view rest_;
    std::vector<Element> elements_;
    std::vector<std::size_t> open_;
};

}  // namespace ltad::test
