#include "CKernels.h"
#include "ForestKernels.h"
#include "forest_order.h"
#include <string.h>

#define GATHER_CODES(NAME, TYPE)                                                                             \
  uint32_t NAME(const TYPE *column, const uint32_t *rows, int64_t count, uint16_t *codes) {                  \
    uint32_t lowest = 0xFFFF, highest = 0;                                                                   \
    for (int64_t i = 0; i < count; i++) {                                                                    \
      const uint32_t code = column[rows[i]];                                                                 \
      codes[i] = (uint16_t)code;                                                                             \
      lowest = code < lowest ? code : lowest;                                                                \
      highest = code > highest ? code : highest;                                                             \
    }                                                                                                        \
    return lowest << 16 | highest;                                                                           \
  }

GATHER_CODES(forest_gather_codes_8, uint8_t)
GATHER_CODES(forest_gather_codes_16, uint16_t)

#define PARTITION(NAME, TYPE)                                                                                \
  int64_t NAME(const TYPE *column, uint32_t *rows, int64_t count, forest_sides sides, uint32_t *buffer,      \
               int32_t *first_right) {                                                                       \
    int64_t lefts = 0, rights = 0;                                                                           \
    int32_t lowest_right = INT32_MAX;                                                                        \
    for (int64_t i = 0; i < count; i++) {                                                                    \
      const uint32_t row = rows[i];                                                                          \
      const int32_t code = column[row];                                                                      \
      const int32_t is_left =                                                                                \
          sides.table ? sides.table[code] : (code <= sides.last_left) | (code == sides.also_left);           \
      /* Both are written, one index moves: no branch to mispredict. */                                      \
      rows[lefts] = row;                                                                                     \
      buffer[rights] = row;                                                                                  \
      lefts += is_left;                                                                                      \
      rights += 1 - is_left;                                                                                 \
      const int32_t right_code = is_left ? INT32_MAX : code;                                                 \
      lowest_right = right_code < lowest_right ? right_code : lowest_right;                                  \
    }                                                                                                        \
    memcpy(rows + lefts, buffer, (size_t)rights * sizeof(uint32_t));                                         \
    *first_right = lowest_right;                                                                             \
    return lefts;                                                                                            \
  }

PARTITION(forest_partition_8, uint8_t)
PARTITION(forest_partition_16, uint16_t)

int32_t forest_gather_shares(const forest_share *shares, const int64_t *targets, const uint32_t *rows,
                             int64_t count, int64_t *sums, double *weights, forest_share *total) {
  int64_t sum = 0, differences = 0;
  double weight = 0;
  const int64_t first = count > 0 ? targets[rows[0]] : 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t row = rows[i];
    const forest_share share = shares[row];
    sums[i] = share.sum;
    weights[i] = share.weight;
    sum += share.sum;
    weight += share.weight;
    differences |= targets[row] ^ first;
  }
  total->sum = sum;
  total->weight = weight;
  return differences == 0;
}

CKERNELS_CLONES
void forest_mark_sides(uint16_t *codes, int64_t count, int32_t last_left, int32_t missing_code, int32_t missing_left) {
  const uint16_t last = (uint16_t)last_left;
  if (missing_code < 0) {
    for (int64_t i = 0; i < count; i++) codes[i] = codes[i] > last;
    return;
  }
  const uint16_t missing = (uint16_t)missing_code, missing_side = missing_left ? 0 : 1;
  for (int64_t i = 0; i < count; i++) codes[i] = codes[i] == missing ? missing_side : codes[i] > last;
}

int32_t forest_gather_counts(const int32_t *all_classes, const int32_t *all_counts, const uint32_t *rows,
                             int64_t count, int32_t *classes, int32_t *counts, int32_t *totals,
                             int32_t class_count, int64_t *total, double *squares) {
  memset(totals, 0, (size_t)class_count * sizeof(int32_t));
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t row = rows[i];
    const int32_t c = all_classes[row], n = all_counts[row];
    classes[i] = c;
    counts[i] = n;
    totals[c] += n;
    sum += n;
  }
  double sum_of_squares = 0;
  int32_t occurring = 0;
  for (int32_t c = 0; c < class_count; c++) {
    const double n = totals[c];
    sum_of_squares += n * n;
    occurring += totals[c] > 0;
  }
  *total = sum;
  *squares = sum_of_squares;
  return occurring < 2 ? occurring : 2;
}

void forest_sort_codes(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                       const forest_scratch *scratch) {
  forest_sort(codes, count, lowest, highest, scratch);
}
