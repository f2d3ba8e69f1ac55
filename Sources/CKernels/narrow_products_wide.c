#include "CKernels.h"
#include "wide_vectors.h"

#ifdef CKERNELS_WIDE
typedef double Scalar;
typedef double Vector __attribute__((ext_vector_type(8)));
enum { lanes = 8 };
// Eight accumulators and more, as many as a unit has sums under way.
#define NARROW_HEIGHT(vectors) ((vectors) == 1 ? 8 : 6)
#define NARROW_SCORES wide_narrow_scores
#define NARROW_GRADIENT wide_narrow_gradient
#define NARROW_TARGET CKERNELS_WIDE
#include "narrow_tiles.h"
#endif
