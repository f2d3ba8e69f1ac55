#include "CKernels.h"
#include "wide_vectors.h"

typedef double Scalar;
typedef double Vector __attribute__((ext_vector_type(4)));
enum { lanes = 4 };
// At most nine accumulators: with twelve, compilers spill some of them, which takes twice the time.
#define NARROW_HEIGHT(vectors) ((vectors) == 3 ? 3 : 4)
#define NARROW_SCORES narrow_scores
#define NARROW_GRADIENT narrow_gradient
#define NARROW_TARGET CKERNELS_CLONES static
#include "narrow_tiles.h"

void ckernels_narrow_scores(long rows, long columns, long stride, const double *x, const double *w, double *out) {
#ifdef CKERNELS_WIDE
  if (stride % (2 * lanes) == 0 && ckernels_has_wide_vectors()) {
    wide_narrow_scores(rows, columns, stride, x, w, out);
    return;
  }
#endif
  narrow_scores(rows, columns, stride, x, w, out);
}

void ckernels_narrow_gradient(long rows, long columns, long stride, const double *x, const double *r, double *out) {
#ifdef CKERNELS_WIDE
  if (stride % (2 * lanes) == 0 && ckernels_has_wide_vectors()) {
    wide_narrow_gradient(rows, columns, stride, x, r, out);
    return;
  }
#endif
  narrow_gradient(rows, columns, stride, x, r, out);
}
