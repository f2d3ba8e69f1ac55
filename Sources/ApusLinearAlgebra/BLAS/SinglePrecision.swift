import COpenBLAS

/// BLAS and LAPACK for `Float`.
public enum SinglePrecision: LinearAlgebraRoutines {
  /// C ← α·op(A)·op(B) + β·C.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float,
    _ c: UnsafeMutablePointer<Float>, _ ldc: Int
  ) {
    OpenBLAS.useOneThread
    cblas_sgemm(
      BLASRowMajor, transposeA ? BLASTransposed : BLASNoTranspose,
      transposeB ? BLASTransposed : BLASNoTranspose, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b,
      Int32(ldb), beta, c, Int32(ldc))
  }

  /// y ← α·op(A)·x + β·y.
  public static func gemv(
    _ transpose: Bool, _ m: Int, _ n: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
    _ x: UnsafePointer<Float>, _ incx: Int, _ beta: Float, _ y: UnsafeMutablePointer<Float>, _ incy: Int
  ) {
    OpenBLAS.useOneThread
    cblas_sgemv(
      BLASRowMajor, transpose ? BLASTransposed : BLASNoTranspose, Int32(m), Int32(n), alpha, a, Int32(lda), x,
      Int32(incx), beta, y, Int32(incy))
  }

  /// The lower triangle of C ← α·AᵀA + β·C, or of α·AAᵀ + β·C.
  public static func syrk(
    _ transpose: Bool, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
    _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
  ) {
    OpenBLAS.useOneThread
    cblas_ssyrk(
      BLASRowMajor, BLASLower, transpose ? BLASTransposed : BLASNoTranspose, Int32(n), Int32(k), alpha, a,
      Int32(lda), beta, c, Int32(ldc))
  }

  /// A ← A + α·x·yᵀ.
  public static func ger(
    _ m: Int, _ n: Int, _ alpha: Float, _ x: UnsafePointer<Float>, _ incx: Int, _ y: UnsafePointer<Float>,
    _ incy: Int, _ a: UnsafeMutablePointer<Float>, _ lda: Int
  ) {
    OpenBLAS.useOneThread
    cblas_sger(BLASRowMajor, Int32(m), Int32(n), alpha, x, Int32(incx), y, Int32(incy), a, Int32(lda))
  }

  /// B ← L⁻¹·B, or L⁻ᵀ·B.
  public static func trsm(
    _ transpose: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Float>, _ ldl: Int,
    _ b: UnsafeMutablePointer<Float>, _ ldb: Int
  ) {
    OpenBLAS.useOneThread
    cblas_strsm(
      BLASRowMajor, BLASLeft, BLASLower, transpose ? BLASTransposed : BLASNoTranspose, BLASNonUnit, Int32(m),
      Int32(n), 1, l, Int32(ldl), b, Int32(ldb))
  }

  /// Σ xᵢ·yᵢ.
  public static func dot(
    _ n: Int, _ x: UnsafePointer<Float>, _ incx: Int, _ y: UnsafePointer<Float>, _ incy: Int
  ) -> Float {
    OpenBLAS.useOneThread
    return cblas_sdot(Int32(n), x, Int32(incx), y, Int32(incy))
  }

  /// y ← α·x + y.
  public static func axpy(
    _ n: Int, _ alpha: Float, _ x: UnsafePointer<Float>, _ incx: Int, _ y: UnsafeMutablePointer<Float>,
    _ incy: Int
  ) {
    OpenBLAS.useOneThread
    cblas_saxpy(Int32(n), alpha, x, Int32(incx), y, Int32(incy))
  }

  /// x ← α·x.
  public static func scal(_ n: Int, _ alpha: Float, _ x: UnsafeMutablePointer<Float>, _ incx: Int) {
    OpenBLAS.useOneThread
    cblas_sscal(Int32(n), alpha, x, Int32(incx))
  }

  /// √Σ xᵢ², without overflow.
  public static func nrm2(_ n: Int, _ x: UnsafePointer<Float>, _ incx: Int) -> Float {
    OpenBLAS.useOneThread
    return cblas_snrm2(Int32(n), x, Int32(incx))
  }

  /// Cholesky factor in the lower triangle.
  public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Float>, _ lda: Int) -> Int {
    OpenBLAS.useOneThread
    var (order, stride, info) = (Int32(n), Int32(lda), Int32(0))
    // LAPACK reads columns: our lower triangle is its upper one.
    spotrf_("U", &order, a, &stride, &info, 1)
    return Int(info)
  }

  /// Solves with a Cholesky factor, one right-hand side.
  public static func potrs(
    _ n: Int, _ l: UnsafePointer<Float>, _ ldl: Int, _ b: UnsafeMutablePointer<Float>
  ) {
    OpenBLAS.useOneThread
    var (order, stride, one, info) = (Int32(n), Int32(ldl), Int32(1), Int32(0))
    var rows = Int32(max(1, n))
    spotrs_("U", &order, &one, l, &stride, b, &rows, &info, 1)
  }

  /// Eigenvalues in ascending order; eigenvector j in row j of `a`.
  public static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>
  ) -> Int {
    OpenBLAS.useOneThread
    var (order, info) = (Int32(n), Int32(0))
    var (size, integerSize) = (Int32(-1), Int32(-1))
    var (wanted, integersWanted) = (Float(0), Int32(0))
    ssyevd_(
      "V", "U", &order, a, &order, values, &wanted, &size, &integersWanted, &integerSize, &info, 1, 1)
    size = Int32(wanted)
    integerSize = integersWanted
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(size)) { work in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(integerSize)) { integers in
        ssyevd_(
          "V", "U", &order, a, &order, values, work.baseAddress, &size, integers.baseAddress, &integerSize,
          &info, 1, 1)
      }
    }
    return Int(info)
  }

  /// The factor R of A = Q·R over the upper triangle of A's first `n` rows; what lies below it is destroyed.
  public static func geqrf(_ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Float>) {
    OpenBLAS.useOneThread
    // LAPACK reads columns and so sees Aᵀ = L·Q, of which L is Rᵀ.
    var (rows, columns, info) = (Int32(n), Int32(m), Int32(0))
    var (size, wanted) = (Int32(-1), Float(0))
    withUnsafeTemporaryAllocation(of: Float.self, capacity: min(m, n)) { factors in
      sgelqf_(&rows, &columns, a, &rows, factors.baseAddress, &wanted, &size, &info)
      size = Int32(wanted)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(size)) { work in
        sgelqf_(&rows, &columns, a, &rows, factors.baseAddress, work.baseAddress, &size, &info)
      }
    }
  }

  /// Thin singular value decomposition; `a` is destroyed.
  public static func gesdd(
    _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Float>, _ s: UnsafeMutablePointer<Float>,
    _ u: UnsafeMutablePointer<Float>, _ vt: UnsafeMutablePointer<Float>
  ) -> Int {
    OpenBLAS.useOneThread
    // LAPACK reads columns and so sees Aᵀ = V·S·Uᵀ: it is handed V's place for its U, and U's for its Vᵀ.
    var (rows, columns, rank, info) = (Int32(n), Int32(m), Int32(min(m, n)), Int32(0))
    var (size, wanted) = (Int32(-1), Float(0))
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 8 * Int(rank)) { integers in
      sgesdd_(
        "S", &rows, &columns, a, &rows, s, vt, &rows, u, &rank, &wanted, &size, integers.baseAddress, &info,
        1)
      size = Int32(wanted)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(size)) { work in
        sgesdd_(
          "S", &rows, &columns, a, &rows, s, vt, &rows, u, &rank, work.baseAddress, &size,
          integers.baseAddress, &info, 1)
      }
    }
    return Int(info)
  }

  /// Least squares by singular values, of matrices stored column by column; both are destroyed.
  public static func gelsd(
    _ m: Int, _ n: Int, _ count: Int, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>,
    _ ldb: Int, _ s: UnsafeMutablePointer<Float>, _ tolerance: Float, _ rank: inout Int
  ) -> Int {
    OpenBLAS.useOneThread
    var (rows, columns, sides, stride) = (Int32(m), Int32(n), Int32(count), Int32(ldb))
    var (limit, found, info) = (tolerance, Int32(0), Int32(0))
    var (size, wanted, integersWanted) = (Int32(-1), Float(0), Int32(0))
    sgelsd_(
      &rows, &columns, &sides, a, &rows, b, &stride, s, &limit, &found, &wanted, &size, &integersWanted,
      &info)
    size = Int32(wanted)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(size)) { work in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(max(1, integersWanted))) { integers in
        sgelsd_(
          &rows, &columns, &sides, a, &rows, b, &stride, s, &limit, &found, work.baseAddress, &size,
          integers.baseAddress, &info)
      }
    }
    rank = Int(found)
    return Int(info)
  }
}
