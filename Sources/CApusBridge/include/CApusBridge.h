// The Python files that bring jobs to a Dask cluster, embedded: they are at hand in any program that links Apus.
#ifndef APUS_CAPUSBRIDGE_H
#define APUS_CAPUSBRIDGE_H

#include <stddef.h>
#include <stdint.h>

/// A file: its path below the bridge's folder, and its text, UTF-8 and not terminated.
typedef struct {
  const char *path;
  const uint8_t *bytes;
  size_t count;
} capusbridge_file;

/// How many files there are.
size_t capusbridge_file_count(void);

/// The file at an index below the count.
capusbridge_file capusbridge_file_at(size_t index);

#endif
