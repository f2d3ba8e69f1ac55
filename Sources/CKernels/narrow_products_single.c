#include "CKernels.h"
#include "wide_vectors.h"

typedef float Scalar;
typedef float Vector __attribute__((ext_vector_type(8)));
enum { lanes = 8 };
// At most nine accumulators: with twelve, compilers spill some of them, which takes twice the time.
#define NARROW_HEIGHT(vectors) ((vectors) == 3 ? 3 : 4)
#define NARROW_SCORES narrow_scores_single
#define NARROW_GRADIENT narrow_gradient_single
#define NARROW_TARGET CKERNELS_CLONES static
#include "narrow_tiles.h"

void ckernels_narrow_scores_single(long rows, long columns, long stride, const float *x, const float *w, float *out) {
#ifdef CKERNELS_WIDE
  if (stride % (2 * lanes) == 0 && ckernels_has_wide_vectors()) {
    wide_narrow_scores_single(rows, columns, stride, x, w, out);
    return;
  }
#endif
  narrow_scores_single(rows, columns, stride, x, w, out);
}

void ckernels_narrow_gradient_single(long rows, long columns, long stride, const float *x, const float *r, float *out) {
#ifdef CKERNELS_WIDE
  if (stride % (2 * lanes) == 0 && ckernels_has_wide_vectors()) {
    wide_narrow_gradient_single(rows, columns, stride, x, r, out);
    return;
  }
#endif
  narrow_gradient_single(rows, columns, stride, x, r, out);
}
