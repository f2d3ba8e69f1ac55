// What running a notebook's cell needs and Swift cannot say: leaving `main` where it threw, and parking a thread.
#ifndef CAPUS_NOTEBOOK_H
#define CAPUS_NOTEBOOK_H

#include <stddef.h>
#include <stdint.h>

/// Calls a cell's `main` on this thread. Returns NULL when it ended, else the Swift error that it threw.
void *capus_cell_run(int (*cell)(int, char **));

/// Makes the signal of `capus_cell_park` known, lets every signal in, and has standard output be written by lines;
/// once, on the main thread, before there are others.
void capus_cell_prepare(void);

/// Asks the thread that runs a cell to stop for ever, if it is just now within the code of a library; such code
/// holds no lock of the system's. Returns 1 once it has stopped. Call it again while it returns 0.
int capus_cell_park(const uintptr_t *starts, const uintptr_t *ends, size_t count);

/// The addresses at which a library that `dlopen` returned lies.
void capus_library_range(void *library, uintptr_t *start, uintptr_t *end);

#endif
