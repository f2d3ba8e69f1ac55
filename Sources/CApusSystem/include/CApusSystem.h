// Linux calls that Swift's Glibc module does not import: macros over opaque sets, and variadic or GNU-only
// functions.
#ifndef CAPUS_SYSTEM_H
#define CAPUS_SYSTEM_H

#include <stdint.h>
#include <sys/types.h>

/// The number of CPUs in the calling process's affinity mask, or -1 where the kernel does not say.
int capus_affinity_cpu_count(void);

/// Names the calling thread for debuggers and `top -H`; longer names are cut at 15 bytes.
void capus_set_thread_name(const char *name);

/// The kernel's number of the calling thread.
pid_t capus_thread_number(void);

/// Keeps a sleeping thread from being woken on the CPU where the calling thread runs, if it may use another one.
/// Returns that CPU, for the thread to hand to `capus_allow_cpu` once it is awake, or -1 where nothing was changed.
int capus_keep_off_this_cpu(pid_t thread);

/// Adds a CPU to those that the calling thread may use.
void capus_allow_cpu(int cpu);

/// A clock that only goes forward, in nanoseconds from some moment in the past.
int64_t capus_monotonic_nanoseconds(void);

/// Tells the CPU that the calling thread spins, so that another one on the same core gets on.
static inline void capus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// User plus system CPU time of the calling thread, in nanoseconds.
int64_t capus_thread_cpu_nanoseconds(void);

/// User plus system CPU time of the process, in nanoseconds.
int64_t capus_process_cpu_nanoseconds(void);

/// The largest resident set the process has had, in bytes.
int64_t capus_peak_resident_bytes(void);

/// A pipe whose ends no child inherits unless it is given them; 0, or -1 with `errno`.
int capus_pipe(int ends[2]);

/// An unnamed file in memory of a size, which no child inherits; its descriptor, or -1 with `errno`.
int capus_memory_file(const char *name, int64_t size);

/// A file in a folder that has no name and vanishes with its last descriptor; -1 with `errno` where the file
/// system has no such files.
int capus_unnamed_file(const char *folder);

/// A descriptor that becomes readable when a process ends, or -1 with `errno`.
int capus_process_descriptor(pid_t pid);

/// Lets the kernel kill the calling process when the thread that started it ends; -1 when the parent is not
/// (or no longer) the one given.
int capus_die_with_parent(pid_t parent);

/// Starts a program in a process group of its own, with default signal handling, `descriptors` as its
/// descriptors 0 to 3, each at least 4 in the caller, and no others. Returns 0 or an `errno` value.
int capus_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[4]);

/// Collects a child that has ended, without waiting: 1 and how it ended (one of exit code and signal; -1 and
/// 0 where another part of the program collected it), or 0 while it runs.
int capus_wait(pid_t pid, int *exit_code, int *signal, int64_t *peak_resident_bytes);

/// Lets standard output leave line by line, so that little is lost when the process dies.
void capus_buffer_output_by_line(void);

/// Stores a number that another process reads.
void capus_store(uint64_t *place, uint64_t value);

/// Loads a number that another process stored.
uint64_t capus_load(const uint64_t *place);

#endif
