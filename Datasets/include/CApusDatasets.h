// The files of this folder, embedded: they are at hand in any program that links Apus, wherever it is installed.
#ifndef APUS_CAPUSDATASETS_H
#define APUS_CAPUSDATASETS_H

#include <stddef.h>
#include <stdint.h>

/// A file, byte for byte as it lies in the folder.
typedef struct {
  const char *_Nonnull name;
  const uint8_t *_Nonnull bytes;
  size_t count;
} cdatasets_file;

/// The number of files.
size_t cdatasets_count(void);

/// The file at a position below the count.
cdatasets_file cdatasets_file_at(size_t index);

#endif
