#include "CKernels.h"
#include "wide_vectors.h"

#ifdef CKERNELS_WIDE
typedef float Scalar;
typedef float Vector __attribute__((ext_vector_type(16)));
enum { lanes = 16 };
// Eight accumulators and more, as many as a unit has sums under way.
#define NARROW_HEIGHT(vectors) ((vectors) == 1 ? 8 : 6)
#define NARROW_SCORES wide_narrow_scores_single
#define NARROW_GRADIENT wide_narrow_gradient_single
#define NARROW_TARGET CKERNELS_WIDE
#include "narrow_tiles.h"
#endif
