#include "CKernels.h"
#include "wide_vectors.h"

#define SOFTMAX_LANES 8
#include "softmax_tiles.h"

CKERNELS_CLONES static double softmaxResiduals(long rows, long stride, float *scores, const float *offset,
                                               const int32_t *labels, const double *weights, double *columnSums) {
  switch (stride / lanes) {
    case 1: return softmaxRows(1, rows, scores, offset, labels, weights, columnSums);
    case 2: return softmaxRows(2, rows, scores, offset, labels, weights, columnSums);
    case 3: return softmaxRows(3, rows, scores, offset, labels, weights, columnSums);
    case 4: return softmaxRows(4, rows, scores, offset, labels, weights, columnSums);
    case 5: return softmaxRows(5, rows, scores, offset, labels, weights, columnSums);
    default: return softmaxRows(6, rows, scores, offset, labels, weights, columnSums);
  }
}

double ckernels_softmax_residuals_single(long rows, long stride, float *scores, const float *offset,
                                         const int32_t *labels, const double *weights, double *columnSums) {
#ifdef CKERNELS_WIDE
  if (stride % (2 * lanes) == 0 && ckernels_has_wide_vectors())
    return wide_softmax_residuals_single(rows, stride, scores, offset, labels, weights, columnSums);
#endif
  return softmaxResiduals(rows, stride, scores, offset, labels, weights, columnSums);
}
