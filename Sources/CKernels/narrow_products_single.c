#include "CKernels.h"

typedef float Scalar;
typedef float Vector __attribute__((ext_vector_type(8)));
enum { lanes = 8 };
#define NARROW_SCORES ckernels_narrow_scores_single
#define NARROW_GRADIENT ckernels_narrow_gradient_single
#include "narrow_tiles.h"
