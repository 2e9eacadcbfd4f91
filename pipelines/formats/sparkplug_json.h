// What a Sparkplug metric holds beside a scalar, as JSON text. The text is never more than a few times as
// long as the bytes: column names stand once.
//
//   DataSet     {"columns":["a","b"],"types":["Int32","String"],"rows":[[1,"x"],…]}
//   Template {"ref":"Pump","version":"1","definition":true,"parameters":{"size":5},"metrics":{"speed":1.5}}
//               (what is not set is left out)
//   PropertySet {"Quality":192,"engUnit":"°C"}
//
// NaN and the infinities are null, bytes base64, and so is what lies deeper than 16 values in each other: an
// error.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/formats/sparkplug_payload.h"

namespace leat::formats {

/// Appends; false: the bytes are no such thing, a text in them is no UTF-8, or it is too deep.
bool append_data_set(std::string_view bytes, std::string& out);
bool append_template(std::string_view bytes, std::string& out);
bool append_properties(std::string_view bytes, std::string& out);

}  // namespace leat::formats
