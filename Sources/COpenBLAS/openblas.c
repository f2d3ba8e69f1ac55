// The declarations in include/COpenBLAS.h are all this target holds; SwiftPM asks for one source file.
#include "COpenBLAS.h"
