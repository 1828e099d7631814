#include "msl_text.h"

#include "msl_module.h"

#include <regex>

namespace warpfs::metal_fake {

namespace {

constexpr const char* IDS[] = {
    "threadgroup_position_in_grid", "threadgroups_per_grid",      "simdgroup_index_in_threadgroup", "simdgroups_per_threadgroup",
    "thread_index_in_simdgroup",    "threads_per_simdgroup",      "thread_index_in_threadgroup",    "thread_position_in_grid",
};

/// What a parameter with this attribute is given.
std::string argument_of(const std::string& kernel, const std::string& parameter, const std::string& attribute) {
  std::smatch parts;
  if (std::regex_match(attribute, parts, std::regex(R"(buffer\((\d+)\))"))) return "msl::Memory{buffers[" + parts[1].str() + "]}";
  // The name of this one is a keyword as well, which stands for nothing here.
  if (attribute == "(0)") return "msl::Memory{group}";
  for (const char* id : IDS) {
    if (attribute == id) return "ids." + attribute;
  }
  throw MslError("kernel " + kernel + ": " + (attribute.empty() ? "no attribute says what is bound to" : "[[" + attribute + "]] is not known here:") + parameter);
}

/// The place behind the bracket that closes the one at `open`.
size_t behind_bracket(const std::string& text, size_t open) {
  size_t depth = 0;
  for (size_t at = open; at < text.size(); at++) {
    if (text[at] == '(') depth++;
    if (text[at] == ')' && --depth == 0) return at + 1;
  }
  throw MslError("the parameters of a kernel do not end");
}

}  // namespace

std::string with_entries(const std::string& preprocessed) {
  static const std::regex head(R"(\bMSL_KERNEL\s+void\s+(\w+)\s*\()");
  static const std::regex parameter_with_attribute(R"(([^\[]*)(?:\[\[\s*(\w*(?:\(\d+\))?)\s*\]\])?\s*)");
  std::string text, entries;
  size_t done = 0;
  for (std::sregex_iterator found(preprocessed.begin(), preprocessed.end(), head), end; found != end; ++found) {
    const std::string kernel = (*found)[1];
    const size_t open = size_t(found->position() + found->length()) - 1;
    const size_t behind = behind_bracket(preprocessed, open);
    std::string arguments, parameters;
    size_t depth = 0, begin = open + 1;
    for (size_t at = begin; at < behind; at++) {
      const char c = preprocessed[at];
      if (c == '(' || c == '<') depth++;
      if ((c == ')' || c == '>') && at + 1 < behind) depth--;
      if ((c != ',' || depth != 0) && at + 1 < behind) continue;
      const std::string parameter = preprocessed.substr(begin, at - begin);
      begin = at + 1;
      if (parameter.find_first_not_of(" \t\n") == std::string::npos) continue;  // of a kernel that has none
      std::smatch parts;
      if (!std::regex_match(parameter, parts, parameter_with_attribute)) throw MslError("kernel " + kernel + ": cannot read the parameter" + parameter);
      const char* comma = arguments.empty() ? "" : ", ";
      arguments += comma + argument_of(kernel, parameter, parts[2]);
      parameters += comma + parts[1].str();
    }
    text += preprocessed.substr(done, open + 1 - done) + parameters + ")";
    done = behind;
    entries += "extern \"C\" __attribute__((visibility(\"default\"))) void msl_entry_" + kernel +
               "(const void* lane, void* const* buffers, unsigned char* group, const msl::Ids& ids) {\n"
               "  (void)buffers, (void)group, (void)ids;\n"
               "  msl::Self self = {*static_cast<const warpfs_cpu::Lane*>(lane), {}};\n  msl::current = &self;\n"
               "  if (__builtin_setjmp(self.way_out) == 0) " + kernel + "(" + arguments + ");\n}\n";
  }
  return text + preprocessed.substr(done) + "\n# 1 \"entries\"\n" + entries;
}

}  // namespace warpfs::metal_fake
