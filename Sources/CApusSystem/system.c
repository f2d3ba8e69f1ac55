#define _GNU_SOURCE
#include "CApusSystem.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int capus_affinity_cpu_count(void) {
  // The kernel refuses a mask smaller than its own; double it until it fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (set == NULL) return -1;
    size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, set);
    int failed = sched_getaffinity(0, size, set);
    int count = failed ? -1 : CPU_COUNT_S(size, set);
    CPU_FREE(set);
    if (!failed) return count;
    if (errno != EINVAL) return -1;
  }
  return -1;
}

void capus_set_thread_name(const char *name) {
  char cut[16];
  strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = 0;
  pthread_setname_np(pthread_self(), cut);
}

pid_t capus_thread_number(void) { return gettid(); }

// Sets on the stack: more CPUs than a kernel has, and no allocation for what happens at every wake-up.
enum { MOST_CPUS = 8192 };
typedef struct {
  cpu_set_t parts[MOST_CPUS / CPU_SETSIZE];
} cpus_t;

int capus_keep_off_this_cpu(pid_t thread) {
  cpus_t cpus;
  int cpu = sched_getcpu();
  if (cpu < 0 || cpu >= MOST_CPUS || sched_getaffinity(thread, sizeof cpus, cpus.parts) != 0) return -1;
  if (!CPU_ISSET_S(cpu, sizeof cpus, cpus.parts) || CPU_COUNT_S(sizeof cpus, cpus.parts) < 2) return -1;
  CPU_CLR_S(cpu, sizeof cpus, cpus.parts);
  return sched_setaffinity(thread, sizeof cpus, cpus.parts) == 0 ? cpu : -1;
}

void capus_allow_cpu(int cpu) {
  cpus_t cpus;
  if (sched_getaffinity(0, sizeof cpus, cpus.parts) != 0) return;
  CPU_SET_S(cpu, sizeof cpus, cpus.parts);
  sched_setaffinity(0, sizeof cpus, cpus.parts);
}

static int64_t clock_nanoseconds(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t capus_monotonic_nanoseconds(void) { return clock_nanoseconds(CLOCK_MONOTONIC); }

int64_t capus_thread_cpu_nanoseconds(void) { return clock_nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

int64_t capus_process_cpu_nanoseconds(void) { return clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

int64_t capus_peak_resident_bytes(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return (int64_t)usage.ru_maxrss * 1024;
}
