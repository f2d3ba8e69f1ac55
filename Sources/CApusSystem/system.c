#define _GNU_SOURCE
#include "CApusSystem.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

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
