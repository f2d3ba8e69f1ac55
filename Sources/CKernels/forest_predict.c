#include "CKernels.h"
#include "ForestKernels.h"
#include <stddef.h>

// Rows walked at once, so that the wait for one row's node is spent on the others.
#define LANES 16

#define ENCODE(NAME, TYPE, LARGEST)                                                                          \
  void NAME(const double *values, int64_t stride, int64_t count, const double *boundaries,                   \
            int64_t boundary_count, TYPE *codes, int64_t slot_count) {                                       \
    for (int64_t row = 0; row < count; row++) {                                                              \
      const double value = values[row * stride];                                                             \
      const double *base = boundaries;                                                                       \
      int64_t length = boundary_count;                                                                       \
      while (length > 1) {                                                                                   \
        const int64_t half = length >> 1;                                                                    \
        base += base[half - 1] < value ? half : 0;                                                           \
        length -= half;                                                                                      \
      }                                                                                                      \
      int64_t code = base - boundaries;                                                                      \
      if (length == 1) code += *base < value;                                                                \
      const int is_missing = value != value;                                                                 \
      codes[row * slot_count] = is_missing ? LARGEST : (TYPE)code;                                           \
      codes[row * slot_count + 1] = is_missing ? 0 : (TYPE)code;                                             \
    }                                                                                                        \
  }

ENCODE(forest_encode_8, uint8_t, UINT8_MAX)
ENCODE(forest_encode_16, uint16_t, UINT16_MAX)
ENCODE(forest_encode_32, uint32_t, UINT32_MAX)

static inline int is_in_set(const uint64_t *sets, uint64_t set, uint64_t code) {
  return sets[set * FOREST_SET_WORDS + (code >> 6)] >> (code & 63) & 1;
}

#define LEAVES(NAME, TYPE)                                                                                   \
  CKERNELS_CLONES                                                                                            \
  void NAME(const uint64_t *nodes, forest_layout layout, const uint64_t *sets, const TYPE *codes,            \
            int64_t slot_count, int64_t count, uint64_t *leaves) {                                           \
    const int slot_shift = 2 + layout.offset_bits, code_shift = slot_shift + layout.slot_bits;               \
    const uint64_t offset_mask = ((uint64_t)1 << layout.offset_bits) - 1;                                    \
    const uint64_t slot_mask = ((uint64_t)1 << layout.slot_bits) - 1;                                        \
    int64_t row = 0;                                                                                         \
    if (sets == NULL) {                                                                                      \
      for (; row + LANES <= count; row += LANES) {                                                           \
        uint64_t at[LANES] = {0};                                                                            \
        uint64_t any;                                                                                        \
        const TYPE *first = codes + row * slot_count;                                                        \
        do {                                                                                                 \
          any = 0;                                                                                           \
          for (int lane = 0; lane < LANES; lane++) {                                                         \
            const uint64_t node = nodes[at[lane]];                                                           \
            const uint64_t inner = node & 1;                                                                 \
            const uint64_t code = first[lane * slot_count + (int64_t)(node >> slot_shift & slot_mask)];      \
            const uint64_t right = node >> 2 & offset_mask;                                                  \
            at[lane] += code > node >> code_shift ? right : inner;                                           \
            any |= inner;                                                                                    \
          }                                                                                                  \
        } while (any);                                                                                       \
        for (int lane = 0; lane < LANES; lane++) leaves[row + lane] = nodes[at[lane]] >> code_shift;         \
      }                                                                                                      \
    }                                                                                                        \
    for (; row < count; row++) {                                                                             \
      const TYPE *here = codes + row * slot_count;                                                           \
      const uint64_t *node = nodes;                                                                          \
      while (*node & 1) {                                                                                    \
        const uint64_t code = here[*node >> slot_shift & slot_mask], split = *node >> code_shift;            \
        const int right = *node & 2 ? !is_in_set(sets, split, code) : code > split;                          \
        node += right ? *node >> 2 & offset_mask : 1;                                                        \
      }                                                                                                      \
      leaves[row] = *node >> code_shift;                                                                     \
    }                                                                                                        \
  }

LEAVES(forest_leaves_8, uint8_t)
LEAVES(forest_leaves_16, uint16_t)
LEAVES(forest_leaves_32, uint32_t)

void forest_add_votes(const uint64_t *leaves, int64_t count, int64_t class_count, const double *shares,
                      const uint8_t *skipped, double *votes) {
  for (int64_t row = 0; row < count; row++) {
    if (skipped != NULL && skipped[row]) continue;
    const int64_t leaf = (int64_t)leaves[row];
    double *here = votes + row * class_count;
    if (leaf < class_count) {
      here[leaf] += 1;
    } else {
      const double *share = shares + (leaf - class_count) * class_count;
      for (int64_t c = 0; c < class_count; c++) here[c] += share[c];
    }
  }
}

void forest_add_values(const uint64_t *leaves, int64_t count, const double *values, const uint8_t *skipped,
                       double *totals) {
  for (int64_t row = 0; row < count; row++) {
    if (skipped != NULL && skipped[row]) continue;
    totals[row] += values[leaves[row]];
  }
}
