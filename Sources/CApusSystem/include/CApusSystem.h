// Linux calls that Swift's Glibc module does not import: macros over opaque sets, and variadic or GNU-only
// functions.
#ifndef CAPUS_SYSTEM_H
#define CAPUS_SYSTEM_H

#include <stdint.h>

/// The number of CPUs in the calling process's affinity mask, or -1 where the kernel does not say.
int capus_affinity_cpu_count(void);

/// Names the calling thread for debuggers and `top -H`; longer names are cut at 15 bytes.
void capus_set_thread_name(const char *name);

/// A clock that only goes forward, in nanoseconds from some moment in the past.
int64_t capus_monotonic_nanoseconds(void);

/// User plus system CPU time of the calling thread, in nanoseconds.
int64_t capus_thread_cpu_nanoseconds(void);

/// User plus system CPU time of the process, in nanoseconds.
int64_t capus_process_cpu_nanoseconds(void);

/// The largest resident set the process has had, in bytes.
int64_t capus_peak_resident_bytes(void);

#endif
