// Which time zones there are: the engine looks at no file itself, who runs it knows.
#pragma once

#include <string_view>

namespace leat {

/// Whether the machine has a zone of that name.
using ZoneExists = bool (*)(std::string_view name);

/// To be set before the first zone is looked for. Null, as at first: the time library looks for every name
/// that could be one, and remembers for ever those that it does not find.
void set_zone_exists(ZoneExists exists);

}  // namespace leat
