import ApusLinearAlgebra
import ApusParallel
import CKernels

/// Sums of kernel values over support vectors for every pair of classes at once: kernel values are computed
/// once a support vector, then one matrix product a class adds them up for all its pairs.
struct PairwiseExpansion: Sendable {
  private let kernel: KernelFunction
  private let biases: [Double]
  private let classCount: Int
  private let dimensions: Int
  private let tables: [KernelTable]
  /// The coefficients of each class, padded like its table, `× (k − 1)`.
  private let coefficients: [Matrix<Double>]
  private let floatCoefficients: [Matrix<Float>]

  init(
    kernel: KernelFunction, supportVectors: Matrix<Double>, counts: [Int], coefficients: Matrix<Double>,
    biases: [Double]
  ) {
    self.kernel = kernel
    self.biases = biases
    classCount = counts.count
    dimensions = supportVectors.columnCount
    let points = kernel.points(supportVectors)
    var start = 0
    var tables: [KernelTable] = []
    var padded: [Matrix<Double>] = []
    for count in counts {
      let table = KernelTable(points, rows: Array(start..<start + count))
      tables.append(table)
      let own = coefficients.rows(start..<start + count)
      padded.append(
        Matrix(rowCount: table.layout.paddedCount, columnCount: coefficients.columnCount) { target in
          target.update(repeating: 0)
          own.withUnsafeElements { source in
            for index in source.indices { target[index] = source[index] }
          }
        })
      start += count
    }
    self.tables = tables
    self.coefficients = padded
    floatCoefficients =
      counts.count == 2
      ? []
      : padded.map { matrix in
        Matrix(rowCount: matrix.rowCount, columnCount: matrix.columnCount) { target in
          matrix.withUnsafeElements { source in
            for index in source.indices { target[index] = Float(source[index]) }
          }
        }
      }
  }

  /// The sums plus biases, `n × k(k − 1)/2`.
  func values(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    let points = kernel.points(features)
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 64, maximumCount: .max)
    let pairCount = biases.count
    return try Matrix(rowCount: features.rowCount, columnCount: pairCount) { target in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        try compute.cancellation.check()
        let rows = blocks[block]
        points.withUnsafeElements { points in
          let first = points.baseAddress! + rows.lowerBound * dimensions
          let output = target.baseAddress! + rows.lowerBound * pairCount
          if classCount == 2 {
            addTwoClasses(first, rows.count, to: output)
          } else {
            addManyClasses(first, rows.count, to: output)
          }
        }
      }
    }
  }

  /// Two classes have one sum, which is added up in Double.
  private func addTwoClasses(
    _ points: UnsafePointer<Float>, _ count: Int, to output: UnsafeMutablePointer<Double>
  ) {
    for row in 0..<count { output[row] = biases[0] }
    for (table, coefficients) in zip(tables, coefficients) where table.layout.count > 0 {
      let width = table.layout.paddedCount
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count * width) { kernelRows in
        table.rows(kernel, points, count: count, into: kernelRows.baseAddress!)
        coefficients.withUnsafeElements { coefficients in
          for row in 0..<count {
            output[row] += ckernels_svm_dot(
              kernelRows.baseAddress! + row * width, coefficients.baseAddress!, width)
          }
        }
      }
    }
  }

  private func addManyClasses(
    _ points: UnsafePointer<Float>, _ count: Int, to output: UnsafeMutablePointer<Double>
  ) {
    let others = classCount - 1
    let widest = tables.map(\.layout.paddedCount).max() ?? 0
    withUnsafeTemporaryAllocation(
      of: Float.self, capacity: count * (widest + others * classCount)
    ) { scratch in
      let kernelRows = scratch.baseAddress!
      let sums = kernelRows + count * widest
      for label in 0..<classCount {
        let table = tables[label]
        let width = table.layout.paddedCount
        if width > 0 { table.rows(kernel, points, count: count, into: kernelRows) }
        floatCoefficients[label].withUnsafeElements { coefficients in
          BLAS.gemm(
            m: count, n: others, k: width, a: kernelRows, aStride: width,
            b: coefficients.baseAddress!, bStride: others, c: sums + label * count * others,
            cStride: others)
        }
      }
      for row in 0..<count {
        var pair = row * biases.count
        for first in 0..<classCount {
          for second in first + 1..<max(first + 1, classCount) {
            let own = sums[(first * count + row) * others + second - 1]
            let other = sums[(second * count + row) * others + first]
            output[pair] = Double(own) + Double(other) + biases[pair - row * biases.count]
            pair += 1
          }
        }
      }
    }
  }
}
