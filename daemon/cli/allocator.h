// How glibc's allocator is to behave, by what a verb does; elsewhere nothing happens. Before other threads
// are there.
#pragma once

namespace leat::cli {

/// For a daemon that mostly waits: glibc gives each thread an arena of its own, with 64 MiB of addresses,
/// that returns little. Two are enough.
void keep_memory_small();
/// For a run that works as fast as it can: blocks of a megabyte come and go, and the system would have to
/// give each page anew.
void keep_freed_memory();

}  // namespace leat::cli
