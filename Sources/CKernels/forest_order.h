// Order of a node's rows by code, shared by the kernels that sweep over rows.
#ifndef APUS_FOREST_ORDER_H
#define APUS_FOREST_ORDER_H

#include "include/ForestKernels.h"
#include <string.h>

// One pass of a stable counting sort by `width` codes from `lowest`; `starts` has room for `width`.
static inline void forest_counting_sort(const uint16_t *codes, int64_t count, int32_t lowest, int32_t width,
                                        int32_t *starts, uint64_t *order) {
  memset(starts, 0, (size_t)width * sizeof(int32_t));
  for (int64_t i = 0; i < count; i++) starts[codes[i] - lowest]++;
  int32_t sum = 0;
  for (int32_t b = 0; b < width; b++) {
    const int32_t here = starts[b];
    starts[b] = sum;
    sum += here;
  }
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = codes[i];
    order[starts[code - lowest]++] = (uint64_t)code << 32 | (uint64_t)i;
  }
}

static inline void forest_insertion_sort(const uint16_t *codes, int64_t count, uint64_t *order) {
  for (int64_t i = 0; i < count; i++) {
    const uint64_t key = (uint64_t)codes[i] << 32 | (uint64_t)i;
    int64_t j = i;
    while (j > 0 && order[j - 1] > key) {
      order[j] = order[j - 1];
      j--;
    }
    order[j] = key;
  }
}

// Two passes of eight bits each, for codes that spread too far for one counting sort.
static inline void forest_radix_sort(const uint16_t *codes, int64_t count, uint64_t *order,
                                     uint64_t *buffer) {
  int64_t low[256] = {0}, high[256] = {0};
  for (int64_t i = 0; i < count; i++) {
    low[codes[i] & 255]++;
    high[codes[i] >> 8]++;
  }
  int64_t low_sum = 0, high_sum = 0;
  for (int b = 0; b < 256; b++) {
    const int64_t l = low[b], h = high[b];
    low[b] = low_sum;
    high[b] = high_sum;
    low_sum += l;
    high_sum += h;
  }
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = codes[i];
    buffer[low[code & 255]++] = (uint64_t)code << 32 | (uint64_t)i;
  }
  for (int64_t i = 0; i < count; i++) {
    const uint64_t key = buffer[i];
    order[high[key >> 40]++] = key;
  }
}

// One counting pass by so many of the upper bits that each bucket has about one code, then insertion; returns 0, with
// nothing sorted, where the codes crowd in few buckets. For up to 1,024 codes that spread far.
static inline int forest_bucket_sort(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                                     int32_t *starts, uint64_t *order) {
  int shift = 0;
  while ((int64_t)((highest - lowest) >> shift) >= 2 * count) shift++;
  const int32_t buckets = ((highest - lowest) >> shift) + 1;
  memset(starts, 0, (size_t)buckets * sizeof(int32_t));
  for (int64_t i = 0; i < count; i++) starts[(codes[i] - lowest) >> shift]++;
  int32_t sum = 0, fullest = 0;
  for (int32_t b = 0; b < buckets; b++) {
    const int32_t here = starts[b];
    fullest = here > fullest ? here : fullest;
    starts[b] = sum;
    sum += here;
  }
  if (fullest > 24) return 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = codes[i];
    order[starts[(code - (uint32_t)lowest) >> shift]++] = (uint64_t)code << 32 | (uint64_t)i;
  }
  for (int64_t i = 1; i < count; i++) {
    const uint64_t key = order[i];
    int64_t j = i;
    while (j > 0 && order[j - 1] > key) {
      order[j] = order[j - 1];
      j--;
    }
    order[j] = key;
  }
  return 1;
}

static inline void forest_sort(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                               const forest_scratch *scratch) {
  const int32_t width = highest - lowest + 1;
  if (width <= 4 * count + 16 || (count > 24 && width <= 256)) {
    forest_counting_sort(codes, count, lowest, width, scratch->cell_rows, scratch->order);
  } else if (count <= 24) {
    forest_insertion_sort(codes, count, scratch->order);
  } else if (count > 1024 || !forest_bucket_sort(codes, count, lowest, highest, scratch->cell_rows, scratch->order)) {
    forest_radix_sort(codes, count, scratch->order, scratch->order_buffer);
  }
}

#endif
