// systemd's journal by its own protocol: a line with its priority, and its fields as fields, so that
// 'journalctl LEAT_PIPELINE=line3' finds what a pipeline has to say.
#pragma once

#include <string_view>

#include "daemon/log/log.h"

namespace leat::log {

/// Whether the journal listens on this machine.
bool journal_is_there();

/// `line` is what people read. Each field goes along as LEAT_ and its name in capitals, what is no letter or
/// digit as '_'. False: the journal did not take it. Any thread.
bool send_to_journal(int priority, std::string_view line, std::initializer_list<Field> fields);

}  // namespace leat::log
