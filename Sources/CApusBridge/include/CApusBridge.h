// The Python files that bring jobs to a Dask cluster, embedded: they are at hand in any program that links Apus.
#ifndef APUS_CAPUSBRIDGE_H
#define APUS_CAPUSBRIDGE_H

#include <stddef.h>
#include <stdint.h>

/// A text, UTF-8 and not terminated.
typedef struct {
  const uint8_t *bytes;
  size_t count;
} capusbridge_text;

/// The text of `apus_bridge.py`.
capusbridge_text capusbridge_bridge(void);

/// The text of `apus_worker.py`.
capusbridge_text capusbridge_worker(void);

#endif
