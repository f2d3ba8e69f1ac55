import ApusParallel

/// Products on buffers that may use several threads, with the same bits at every number of them.
///
/// The work is cut into blocks whose sizes depend on the shapes alone; sums over blocks of rows are formed
/// per block and then added in order.
public enum BlockedProducts {
  /// Work below this many multiplications is not worth a second thread's wake-up of about 10 µs.
  private static let smallestBlock = 1 << 18

  /// C (`m × n`) = A · op(B), with B as `k × n`, or as `n × k` when transposed; cut over rows of A.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func rowProduct<Scalar: MatrixScalar>(
    m: Int, n: Int, k: Int, a: UnsafePointer<Scalar>, aStride: Int, b: UnsafePointer<Scalar>, bStride: Int,
    transposeB: Bool = false, c: UnsafeMutablePointer<Scalar>, cStride: Int,
    _ compute: ComputeContext = .sequential
  ) throws {
    let height = rowsPerBlock(work: n * k, rows: m, atLeast: 64)
    nonisolated(unsafe) let (a, b, c) = (a, b, c)
    try compute.forEach(blockCount(m, height)) { block in
      try compute.cancellation.check()
      let first = block * height
      BLAS.gemm(
        transposeB: transposeB, m: min(height, m - first), n: n, k: k, a: a + first * aStride,
        aStride: aStride, b: b, bStride: bStride, c: c + first * cStride, cStride: cStride)
    }
  }

  /// The lower triangle of C (`n × n`) = A·Aᵀ for A of `n × k`; cut over rows of C.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func outerGram<Scalar: MatrixScalar>(
    n: Int, k: Int, a: UnsafePointer<Scalar>, aStride: Int, c: UnsafeMutablePointer<Scalar>, cStride: Int,
    _ compute: ComputeContext = .sequential
  ) throws {
    let height = rowsPerBlock(work: n * k / 2, rows: n, atLeast: 64)
    nonisolated(unsafe) let (a, c) = (a, c)
    try compute.forEach(blockCount(n, height)) { block in
      try compute.cancellation.check()
      let first = block * height
      let count = min(height, n - first)
      let (rows, part) = (a + first * aStride, c + first * cStride)
      BLAS.gemm(
        transposeB: true, m: count, n: first, k: k, a: rows, aStride: aStride, b: a, bStride: aStride,
        c: part,
        cStride: cStride)
      BLAS.outerGram(n: count, k: k, a: rows, aStride: aStride, c: part + first, cStride: cStride)
    }
  }

  /// y = A·x for A of `m × n`; cut over rows.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func rowProduct<Scalar: MatrixScalar>(
    m: Int, n: Int, a: UnsafePointer<Scalar>, aStride: Int, x: UnsafePointer<Scalar>,
    y: UnsafeMutablePointer<Scalar>, _ compute: ComputeContext = .sequential
  ) throws {
    let height = rowsPerBlock(work: n, rows: m, atLeast: 64)
    nonisolated(unsafe) let (a, x, y) = (a, x, y)
    try compute.forEach(blockCount(m, height)) { block in
      try compute.cancellation.check()
      let first = block * height
      BLAS.gemv(
        m: min(height, m - first), n: n, a: a + first * aStride, aStride: aStride, x: x, y: y + first)
    }
  }

  /// C (`m × n`) = Aᵀ·B, with A of `k × m` and B of `k × n`; cut over rows of A and B, summed in order.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func columnProduct<Scalar: MatrixScalar>(
    m: Int, n: Int, k: Int, a: UnsafePointer<Scalar>, aStride: Int, b: UnsafePointer<Scalar>, bStride: Int,
    c: UnsafeMutablePointer<Scalar>, cStride: Int, _ compute: ComputeContext = .sequential
  ) throws {
    nonisolated(unsafe) let (a, b) = (a, b)
    try sumOverRowBlocks(
      rows: k, workPerRow: m * n, resultRows: m, resultColumns: n, into: c, stride: cStride, compute
    ) { rows, target, stride in
      BLAS.gemm(
        transposeA: true, m: m, n: n, k: rows.count, a: a + rows.lowerBound * aStride, aStride: aStride,
        b: b + rows.lowerBound * bStride, bStride: bStride, c: target, cStride: stride)
    }
  }

  /// y = Aᵀ·x for A of `m × n`; cut over rows, summed in order.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func columnProduct<Scalar: MatrixScalar>(
    m: Int, n: Int, a: UnsafePointer<Scalar>, aStride: Int, x: UnsafePointer<Scalar>,
    y: UnsafeMutablePointer<Scalar>, _ compute: ComputeContext = .sequential
  ) throws {
    nonisolated(unsafe) let (a, x) = (a, x)
    try sumOverRowBlocks(
      rows: m, workPerRow: n, resultRows: 1, resultColumns: n, into: y, stride: n, compute
    ) { rows, target, _ in
      BLAS.gemv(
        transpose: true, m: rows.count, n: n, a: a + rows.lowerBound * aStride, aStride: aStride,
        x: x + rows.lowerBound, y: target)
    }
  }

  /// The lower triangle of C (`n × n`) = AᵀA for A of `k × n`; cut over rows, summed in order. What C holds
  /// above its diagonal afterwards is not defined.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public static func gram<Scalar: MatrixScalar>(
    n: Int, k: Int, a: UnsafePointer<Scalar>, aStride: Int, c: UnsafeMutablePointer<Scalar>, cStride: Int,
    _ compute: ComputeContext = .sequential
  ) throws {
    nonisolated(unsafe) let a = a
    try sumOverRowBlocks(
      rows: k, workPerRow: n * (n + 1) / 2, resultRows: n, resultColumns: n, into: c, stride: cStride, compute
    ) { rows, target, stride in
      BLAS.gram(
        n: n, k: rows.count, a: a + rows.lowerBound * aStride, aStride: aStride, c: target, cStride: stride)
    }
  }

  /// Adds up what `body` writes for each block of rows: the base of sums over the rows of a data set.
  ///
  /// The blocks depend on the arguments alone. `body` must write the whole of its target (`resultRows ×
  /// resultColumns`, rows `stride` apart); the first block's target is the result itself, and there is memory
  /// for the others.
  ///
  /// - Parameters:
  ///   - rows: the number of rows.
  ///   - workPerRow: about how many multiplications a row costs.
  ///   - resultRows: the height of the result.
  ///   - resultColumns: the width of the result.
  ///   - result: where the sum goes.
  ///   - stride: the distance between the result's rows.
  ///   - compute: threads and cancellation.
  ///   - body: receives a range of rows, the place for its part of the sum, and that place's stride.
  /// - Throws: ``ApusError`` of kind `cancelled`, and what `body` throws.
  public static func sumOverRowBlocks<Scalar: MatrixScalar>(
    rows: Int, workPerRow: Int, resultRows: Int, resultColumns: Int,
    into result: UnsafeMutablePointer<Scalar>, stride: Int, _ compute: ComputeContext,
    _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Scalar>, Int) throws -> Void
  ) throws {
    let size = resultRows * resultColumns
    let height = max(
      rowsPerBlock(work: workPerRow, rows: rows, atLeast: 256),
      // Adding up a part costs its size: let each stand for four times that in work, and let all the parts
      // stay below 32 MiB together.
      4 * size / max(1, workPerRow),
      rows / max(1, (32 << 20) / max(1, size * MemoryLayout<Scalar>.stride)))
    let count = blockCount(rows, height)
    guard count > 1 else { return try body(0..<rows, result, stride) }
    let parts = UnsafeMutablePointer<Scalar>.allocate(capacity: (count - 1) * size)
    defer { parts.deallocate() }
    nonisolated(unsafe) let (target, others) = (result, parts)
    try compute.forEach(count) { block in
      try compute.cancellation.check()
      let range = block * height..<min(rows, (block + 1) * height)
      if block == 0 {
        try body(range, target, stride)
      } else {
        try body(range, others + (block - 1) * size, resultColumns)
      }
    }
    for block in 0..<count - 1 {
      let part = parts + block * size
      for row in 0..<resultRows {
        BLAS.axpy(resultColumns, 1, part + row * resultColumns, result + row * stride)
      }
    }
  }

  /// The number of rows of a block, from the shapes alone: enough work to pay for a thread, and at most 64
  /// blocks.
  private static func rowsPerBlock(work: Int, rows: Int, atLeast minimum: Int) -> Int {
    max(minimum, smallestBlock / max(1, work), (rows + 63) / 64)
  }

  private static func blockCount(_ rows: Int, _ height: Int) -> Int { max(1, (rows + height - 1) / height) }
}
