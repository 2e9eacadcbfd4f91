#include "daemon/cli/allocator.h"

#include <malloc.h>

namespace leat::cli {

void keep_memory_small() {
#ifdef __GLIBC__
  constexpr int kArenas = 2;
  mallopt(M_ARENA_MAX, kArenas);
#endif
}

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kMapped = 16 << 20;  // Larger blocks go back at once.
  constexpr int kKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kMapped);
  mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace leat::cli
