#include "pipelines/formats/utf8.h"

#include <simdjson.h>

namespace leat::formats {

bool valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace leat::formats
