/// Matrix and vector products on buffers, for kernels that must not allocate.
///
/// Matrices lie row by row, `stride` elements from one row to the next. Nothing is checked: the caller answers
/// for the sizes. OpenBLAS does the work on the calling thread alone, so the same call gives the same bits
/// everywhere; ``Matrix`` has checked products, and ``BlockedProducts`` those that use several threads.
///
/// ```swift
/// // scores (n × k) = features (n × p) · weightsᵀ (k × p)
/// BLAS.gemm(
///   transposeB: true, m: n, n: k, k: p, a: features, aStride: p, b: weights, bStride: p, c: scores,
///   cStride: k)
/// ```
public enum BLAS {
  /// C (`m × n`) ← α·op(A)·op(B) + β·C, where op(A) is `m × k` and op(B) is `k × n`.
  ///
  /// With β = 0, C need not be initialised.
  @inlinable
  public static func gemm<Scalar: MatrixScalar>(
    transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Scalar = 1,
    a: UnsafePointer<Scalar>, aStride: Int, b: UnsafePointer<Scalar>, bStride: Int, beta: Scalar = 0,
    c: UnsafeMutablePointer<Scalar>, cStride: Int
  ) {
    guard m > 0, n > 0 else { return }
    Scalar.Routines.gemm(
      transposeA, transposeB, m, n, k, alpha, a, max(1, aStride), b, max(1, bStride), beta, c, cStride)
  }

  /// y ← α·op(A)·x + β·y, where A itself is `m × n`.
  ///
  /// With β = 0, y need not be initialised.
  @inlinable
  public static func gemv<Scalar: MatrixScalar>(
    transpose: Bool = false, m: Int, n: Int, alpha: Scalar = 1, a: UnsafePointer<Scalar>, aStride: Int,
    x: UnsafePointer<Scalar>, beta: Scalar = 0, y: UnsafeMutablePointer<Scalar>
  ) {
    // OpenBLAS returns at once when either side is empty and would leave y as it was.
    guard m > 0, n > 0 else {
      let length = transpose ? n : m
      for index in 0..<length { y[index] = beta == 0 ? 0 : beta * y[index] }
      return
    }
    Scalar.Routines.gemv(transpose, m, n, alpha, a, aStride, x, 1, beta, y, 1)
  }

  /// The lower triangle of C (`n × n`) ← α·AᵀA + β·C, where A is `k × n`; the upper triangle is left alone.
  @inlinable
  public static func gram<Scalar: MatrixScalar>(
    n: Int, k: Int, alpha: Scalar = 1, a: UnsafePointer<Scalar>, aStride: Int, beta: Scalar = 0,
    c: UnsafeMutablePointer<Scalar>, cStride: Int
  ) {
    guard n > 0 else { return }
    Scalar.Routines.syrk(true, n, k, alpha, a, max(1, aStride), beta, c, cStride)
  }

  /// The lower triangle of C (`n × n`) ← α·AAᵀ + β·C, where A is `n × k`; the upper triangle is left alone.
  @inlinable
  public static func outerGram<Scalar: MatrixScalar>(
    n: Int, k: Int, alpha: Scalar = 1, a: UnsafePointer<Scalar>, aStride: Int, beta: Scalar = 0,
    c: UnsafeMutablePointer<Scalar>, cStride: Int
  ) {
    guard n > 0 else { return }
    Scalar.Routines.syrk(false, n, k, alpha, a, max(1, aStride), beta, c, cStride)
  }

  /// A (`m × n`) ← A + α·x·yᵀ, an update of rank one.
  @inlinable
  public static func ger<Scalar: MatrixScalar>(
    m: Int, n: Int, alpha: Scalar = 1, x: UnsafePointer<Scalar>, y: UnsafePointer<Scalar>,
    a: UnsafeMutablePointer<Scalar>, aStride: Int
  ) {
    guard m > 0, n > 0 else { return }
    Scalar.Routines.ger(m, n, alpha, x, 1, y, 1, a, aStride)
  }

  /// Σ xᵢ·yᵢ over `count` elements.
  @inlinable
  public static func dot<Scalar: MatrixScalar>(
    _ count: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>
  ) -> Scalar { Scalar.Routines.dot(count, x, 1, y, 1) }

  /// y ← α·x + y over `count` elements.
  @inlinable
  public static func axpy<Scalar: MatrixScalar>(
    _ count: Int, _ alpha: Scalar, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) { Scalar.Routines.axpy(count, alpha, x, 1, y, 1) }

  /// x ← α·x over `count` elements.
  @inlinable
  public static func scale<Scalar: MatrixScalar>(
    _ count: Int, _ alpha: Scalar, _ x: UnsafeMutablePointer<Scalar>
  ) { Scalar.Routines.scal(count, alpha, x, 1) }

  /// The Euclidean norm of `count` elements.
  @inlinable
  public static func norm<Scalar: MatrixScalar>(_ count: Int, _ x: UnsafePointer<Scalar>) -> Scalar {
    Scalar.Routines.nrm2(count, x, 1)
  }

  /// Writes the Cholesky factor L of A = L·Lᵀ (`n × n`) over A's lower triangle.
  ///
  /// - Returns: whether A is positive definite; if not, its lower triangle is destroyed.
  @inlinable
  public static func choleskyFactor<Scalar: MatrixScalar>(
    n: Int, a: UnsafeMutablePointer<Scalar>, aStride: Int
  ) -> Bool { n == 0 || Scalar.Routines.potrf(n, a, aStride) == 0 }

  /// b ← (L·Lᵀ)⁻¹·b for a Cholesky factor L (`n × n`) in a lower triangle.
  @inlinable
  public static func choleskySolve<Scalar: MatrixScalar>(
    n: Int, factor: UnsafePointer<Scalar>, stride: Int, b: UnsafeMutablePointer<Scalar>
  ) {
    if n > 0 { Scalar.Routines.potrs(n, factor, stride, b) }
  }

  /// B ← (L·Lᵀ)⁻¹·B for B of `n × width`, a right-hand side in each column.
  @inlinable
  public static func choleskySolve<Scalar: MatrixScalar>(
    n: Int, width: Int, factor: UnsafePointer<Scalar>, stride: Int, b: UnsafeMutablePointer<Scalar>,
    bStride: Int
  ) {
    guard n > 0, width > 0 else { return }
    Scalar.Routines.trsm(false, n, width, factor, stride, b, bStride)
    Scalar.Routines.trsm(true, n, width, factor, stride, b, bStride)
  }
}
