import COpenBLAS

/// BLAS and LAPACK for `Double`.
public enum DoublePrecision: LinearAlgebraRoutines {
  /// C ← α·op(A)·op(B) + β·C.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Double,
    _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int, _ beta: Double,
    _ c: UnsafeMutablePointer<Double>, _ ldc: Int
  ) {
    OpenBLAS.useOneThread
    cblas_dgemm(
      BLASRowMajor, transposeA ? BLASTransposed : BLASNoTranspose,
      transposeB ? BLASTransposed : BLASNoTranspose, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b,
      Int32(ldb), beta, c, Int32(ldc))
  }

  /// y ← α·op(A)·x + β·y.
  public static func gemv(
    _ transpose: Bool, _ m: Int, _ n: Int, _ alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int,
    _ x: UnsafePointer<Double>, _ incx: Int, _ beta: Double, _ y: UnsafeMutablePointer<Double>, _ incy: Int
  ) {
    OpenBLAS.useOneThread
    cblas_dgemv(
      BLASRowMajor, transpose ? BLASTransposed : BLASNoTranspose, Int32(m), Int32(n), alpha, a, Int32(lda), x,
      Int32(incx), beta, y, Int32(incy))
  }

  /// The lower triangle of C ← α·AᵀA + β·C, or of α·AAᵀ + β·C.
  public static func syrk(
    _ transpose: Bool, _ n: Int, _ k: Int, _ alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int,
    _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
  ) {
    OpenBLAS.useOneThread
    cblas_dsyrk(
      BLASRowMajor, BLASLower, transpose ? BLASTransposed : BLASNoTranspose, Int32(n), Int32(k), alpha, a,
      Int32(lda), beta, c, Int32(ldc))
  }

  /// A ← A + α·x·yᵀ.
  public static func ger(
    _ m: Int, _ n: Int, _ alpha: Double, _ x: UnsafePointer<Double>, _ incx: Int, _ y: UnsafePointer<Double>,
    _ incy: Int, _ a: UnsafeMutablePointer<Double>, _ lda: Int
  ) {
    OpenBLAS.useOneThread
    cblas_dger(BLASRowMajor, Int32(m), Int32(n), alpha, x, Int32(incx), y, Int32(incy), a, Int32(lda))
  }

  /// B ← L⁻¹·B, or L⁻ᵀ·B.
  public static func trsm(
    _ transpose: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Double>, _ ldl: Int,
    _ b: UnsafeMutablePointer<Double>, _ ldb: Int
  ) {
    OpenBLAS.useOneThread
    cblas_dtrsm(
      BLASRowMajor, BLASLeft, BLASLower, transpose ? BLASTransposed : BLASNoTranspose, BLASNonUnit, Int32(m),
      Int32(n), 1, l, Int32(ldl), b, Int32(ldb))
  }

  /// Σ xᵢ·yᵢ.
  public static func dot(
    _ n: Int, _ x: UnsafePointer<Double>, _ incx: Int, _ y: UnsafePointer<Double>, _ incy: Int
  ) -> Double {
    OpenBLAS.useOneThread
    return cblas_ddot(Int32(n), x, Int32(incx), y, Int32(incy))
  }

  /// y ← α·x + y.
  public static func axpy(
    _ n: Int, _ alpha: Double, _ x: UnsafePointer<Double>, _ incx: Int, _ y: UnsafeMutablePointer<Double>,
    _ incy: Int
  ) {
    OpenBLAS.useOneThread
    cblas_daxpy(Int32(n), alpha, x, Int32(incx), y, Int32(incy))
  }

  /// x ← α·x.
  public static func scal(_ n: Int, _ alpha: Double, _ x: UnsafeMutablePointer<Double>, _ incx: Int) {
    OpenBLAS.useOneThread
    cblas_dscal(Int32(n), alpha, x, Int32(incx))
  }

  /// √Σ xᵢ², without overflow.
  public static func nrm2(_ n: Int, _ x: UnsafePointer<Double>, _ incx: Int) -> Double {
    OpenBLAS.useOneThread
    return cblas_dnrm2(Int32(n), x, Int32(incx))
  }

  /// Cholesky factor in the lower triangle.
  public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Double>, _ lda: Int) -> Int {
    OpenBLAS.useOneThread
    var (order, stride, info) = (Int32(n), Int32(lda), Int32(0))
    // LAPACK reads columns: our lower triangle is its upper one.
    dpotrf_("U", &order, a, &stride, &info, 1)
    return Int(info)
  }

  /// Solves with a Cholesky factor, one right-hand side.
  public static func potrs(
    _ n: Int, _ l: UnsafePointer<Double>, _ ldl: Int, _ b: UnsafeMutablePointer<Double>
  ) {
    OpenBLAS.useOneThread
    var (order, stride, one, info) = (Int32(n), Int32(ldl), Int32(1), Int32(0))
    var rows = Int32(max(1, n))
    dpotrs_("U", &order, &one, l, &stride, b, &rows, &info, 1)
  }

  /// Eigenvalues in ascending order; eigenvector j in row j of `a`.
  public static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Double>, _ values: UnsafeMutablePointer<Double>
  ) -> Int {
    OpenBLAS.useOneThread
    var (order, info) = (Int32(n), Int32(0))
    var (size, integerSize) = (Int32(-1), Int32(-1))
    var (wanted, integersWanted) = (Double(0), Int32(0))
    dsyevd_(
      "V", "U", &order, a, &order, values, &wanted, &size, &integersWanted, &integerSize, &info, 1, 1)
    size = Int32(wanted)
    integerSize = integersWanted
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(size)) { work in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(integerSize)) { integers in
        dsyevd_(
          "V", "U", &order, a, &order, values, work.baseAddress, &size, integers.baseAddress, &integerSize,
          &info, 1, 1)
      }
    }
    return Int(info)
  }

  /// The factor R of A = Q·R over the upper triangle of A's first `n` rows; what lies below it is destroyed.
  public static func geqrf(_ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Double>) {
    OpenBLAS.useOneThread
    // LAPACK reads columns and so sees Aᵀ = L·Q, of which L is Rᵀ.
    var (rows, columns, info) = (Int32(n), Int32(m), Int32(0))
    var (size, wanted) = (Int32(-1), Double(0))
    withUnsafeTemporaryAllocation(of: Double.self, capacity: min(m, n)) { factors in
      dgelqf_(&rows, &columns, a, &rows, factors.baseAddress, &wanted, &size, &info)
      size = Int32(wanted)
      withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(size)) { work in
        dgelqf_(&rows, &columns, a, &rows, factors.baseAddress, work.baseAddress, &size, &info)
      }
    }
  }

  /// Thin singular value decomposition; `a` is destroyed.
  public static func gesdd(
    _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Double>, _ s: UnsafeMutablePointer<Double>,
    _ u: UnsafeMutablePointer<Double>, _ vt: UnsafeMutablePointer<Double>
  ) -> Int {
    OpenBLAS.useOneThread
    // LAPACK reads columns and so sees Aᵀ = V·S·Uᵀ: it is handed V's place for its U, and U's for its Vᵀ.
    var (rows, columns, rank, info) = (Int32(n), Int32(m), Int32(min(m, n)), Int32(0))
    var (size, wanted) = (Int32(-1), Double(0))
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 8 * Int(rank)) { integers in
      dgesdd_(
        "S", &rows, &columns, a, &rows, s, vt, &rows, u, &rank, &wanted, &size, integers.baseAddress, &info,
        1)
      size = Int32(wanted)
      withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(size)) { work in
        dgesdd_(
          "S", &rows, &columns, a, &rows, s, vt, &rows, u, &rank, work.baseAddress, &size,
          integers.baseAddress, &info, 1)
      }
    }
    return Int(info)
  }

  /// Least squares by singular values, of matrices stored column by column; both are destroyed.
  public static func gelsd(
    _ m: Int, _ n: Int, _ count: Int, _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>,
    _ ldb: Int, _ s: UnsafeMutablePointer<Double>, _ tolerance: Double, _ rank: inout Int
  ) -> Int {
    OpenBLAS.useOneThread
    var (rows, columns, sides, stride) = (Int32(m), Int32(n), Int32(count), Int32(ldb))
    var (limit, found, info) = (tolerance, Int32(0), Int32(0))
    var (size, wanted, integersWanted) = (Int32(-1), Double(0), Int32(0))
    dgelsd_(
      &rows, &columns, &sides, a, &rows, b, &stride, s, &limit, &found, &wanted, &size, &integersWanted,
      &info)
    size = Int32(wanted)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(size)) { work in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(max(1, integersWanted))) { integers in
        dgelsd_(
          &rows, &columns, &sides, a, &rows, b, &stride, s, &limit, &found, work.baseAddress, &size,
          integers.baseAddress, &info)
      }
    }
    rank = Int(found)
    return Int(info)
  }
}
