#include "CKernels.h"
#include "wide_vectors.h"

#ifdef CKERNELS_WIDE
#define SOFTMAX_LANES 16
#include "softmax_tiles.h"

CKERNELS_WIDE
double wide_softmax_residuals_single(long rows, long stride, float *scores, const float *offset,
                                     const int32_t *labels, const double *weights, double *columnSums) {
  switch (stride / lanes) {
    case 1: return softmaxRows(1, rows, scores, offset, labels, weights, columnSums);
    case 2: return softmaxRows(2, rows, scores, offset, labels, weights, columnSums);
    default: return softmaxRows(3, rows, scores, offset, labels, weights, columnSums);
  }
}
#endif
