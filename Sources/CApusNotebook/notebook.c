#define _GNU_SOURCE
#include "CApusNotebook.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static _Thread_local jmp_buf way_out;
static _Thread_local void *thrown;

static pthread_t cell_thread;
static atomic_int is_running;
static atomic_int is_parked;
static const uintptr_t *range_starts, *range_ends;
static size_t range_count;

void *capus_cell_run(int (*cell)(int, char **)) {
  // Who started this process may have blocked signals, and threads have the mask of the thread that starts them.
  sigset_t parking;
  sigemptyset(&parking);
  sigaddset(&parking, SIGUSR2);
  pthread_sigmask(SIG_UNBLOCK, &parking, NULL);
  thrown = NULL;
  cell_thread = pthread_self();
  atomic_store(&is_parked, 0);
  atomic_store(&is_running, 1);
  if (setjmp(way_out) == 0) cell(0, NULL);
  atomic_store(&is_running, 0);
  return thrown;
}

// Cells are linked with `--wrap=swift_errorInMain`: where a program would end with an error that nobody caught,
// a cell comes here. Only `main` is left, which owns nothing but globals.
__attribute__((visibility("default"), noreturn)) void __wrap_swift_errorInMain(void *error) {
  thrown = error;
  longjmp(way_out, 1);
}

static uintptr_t program_counter(void *context) {
  ucontext_t *machine = context;
#if defined(__x86_64__)
  return (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (uintptr_t)machine->uc_mcontext.pc;
#else
  return 0;
#endif
}

static void park(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  uintptr_t counter = program_counter(context);
  for (size_t i = 0; i < range_count; i++) {
    if (counter < range_starts[i] || counter >= range_ends[i]) continue;
    atomic_store(&is_parked, 1);
    while (1) pause();
  }
}

void capus_cell_prepare(void) {
#ifdef __linux__
  // A cell that spins does not outlive its notebook.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  // What cells print is seen line by line.
  setvbuf(stdout, NULL, _IOLBF, 1 << 12);
  struct sigaction action = {.sa_sigaction = park, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
}

int capus_cell_park(const uintptr_t *starts, const uintptr_t *ends, size_t count) {
  range_starts = starts, range_ends = ends, range_count = count;
  if (atomic_load(&is_running) && !atomic_load(&is_parked)) pthread_kill(cell_thread, SIGUSR2);
  for (int i = 0; i < 20 && !atomic_load(&is_parked); i++) usleep(100);
  return atomic_load(&is_parked);
}

struct range {
  uintptr_t base, start, end;
};

static int find_range(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct range *range = data;
  if (info->dlpi_addr != range->base) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X)) continue;
    range->start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    range->end = range->start + info->dlpi_phdr[i].p_memsz;
  }
  return 1;
}

void capus_library_range(void *library, uintptr_t *start, uintptr_t *end) {
  struct link_map *map = NULL;
  struct range range = {0};
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) {
    range.base = (uintptr_t)map->l_addr;
    dl_iterate_phdr(find_range, &range);
  }
  *start = range.start, *end = range.end;
}
