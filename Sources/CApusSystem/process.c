#define _GNU_SOURCE
#include "CApusSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int capus_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int capus_memory_file(const char *name, int64_t size) {
  int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor >= 0 && ftruncate(descriptor, size) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

int capus_unnamed_file(const char *folder) { return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }

int capus_process_descriptor(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int capus_die_with_parent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -1;
  // The parent may have died before the call.
  return getppid() == parent ? 0 : -1;
}

static int add_descriptors(posix_spawn_file_actions_t *actions, const int descriptors[4]) {
  // The caller's descriptors are 4 or more, so none is overwritten before it is used.
  int failure = 0;
  for (int target = 0; target < 4 && !failure; target++) {
    failure = posix_spawn_file_actions_adddup2(actions, descriptors[target], target);
  }
  return failure ? failure : posix_spawn_file_actions_addclosefrom_np(actions, 4);
}

int capus_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[4]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int failure = posix_spawn_file_actions_init(&actions);
  if (failure) return failure;
  failure = posix_spawnattr_init(&attributes);
  if (failure) {
    posix_spawn_file_actions_destroy(&actions);
    return failure;
  }
  // A group of its own: Ctrl-C on the terminal reaches the parent alone, which then ends its workers.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  failure = add_descriptors(&actions, descriptors);
  if (!failure) failure = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

int capus_wait(pid_t pid, int *exit_code, int *signal, int64_t *peak_resident_bytes) {
  int status = 0;
  struct rusage usage;
  pid_t waited = wait4(pid, &status, WNOHANG, &usage);
  if (waited == 0) return 0;
  if (waited < 0 && errno != ECHILD) return 0;
  *exit_code = waited > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  *signal = waited > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  *peak_resident_bytes = waited > 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
  return 1;
}

void capus_buffer_output_by_line(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void capus_store(uint64_t *place, uint64_t value) { __atomic_store_n(place, value, __ATOMIC_RELEASE); }

uint64_t capus_load(const uint64_t *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); }
