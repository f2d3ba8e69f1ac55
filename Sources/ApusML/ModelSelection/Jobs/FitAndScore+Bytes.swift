import ApusParallel

/// The job and its scores as bytes: about a tenth of the time that JSON takes, which a tiny fit would notice.
extension FitAndScore {
  package func encoded() throws -> [UInt8] {
    var writer = ByteWriter()
    writer.write(data.digest.hexadecimal)
    writer.write(splits.digest.hexadecimal)
    writer.write(UInt64(fold))
    writer.write(seed.value)
    writer.write(UInt8((scoresTraining ? 1 : 0) | (sharesRows ? 2 : 0) | (trainRows == nil ? 0 : 4)))
    if let trainRows { writer.write(UInt64(trainRows)) }
    writer.write(UInt32(metrics.count))
    for metric in metrics { writer.write(metric.name) }
    writer.write(UInt32(candidates.count))
    for candidate in candidates {
      writer.write(candidate.name)
      candidate.parameters.write(to: &writer)
    }
    return writer.bytes
  }

  package static func decoded(from bytes: [UInt8]) throws -> FitAndScore {
    var reader = ByteReader(bytes)
    let data = try digest(from: &reader)
    let splits = try digest(from: &reader)
    let fold = Int(clamping: try reader.read(UInt64.self))
    let seed = Seed(try reader.read())
    let flags = try reader.read(UInt8.self)
    let trainRows = flags & 4 != 0 ? Int(clamping: try reader.read(UInt64.self)) : nil
    let metrics = try (0..<reader.readCount()).map { _ in try Metric.named(reader.readText()) }
    let candidates = try (0..<reader.readCount()).map { _ in
      try AnyEstimator(named: reader.readText(), parameters: [String: ParameterValue](from: &reader))
    }
    return FitAndScore(
      data: DataReference(digest: data), splits: DataReference(digest: splits), fold: fold,
      trainRows: trainRows, candidates: candidates, metrics: metrics, scoresTraining: flags & 1 != 0,
      sharesRows: flags & 2 != 0,
      seed: seed)
  }

  package static func encodedOutput(_ output: [FitScores]) throws -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt32(output.count))
    for scores in output { scores.write(to: &writer) }
    return writer.bytes
  }

  package static func decodedOutput(from bytes: [UInt8]) throws -> [FitScores] {
    var reader = ByteReader(bytes)
    return try (0..<reader.readCount()).map { _ in try FitScores(from: &reader) }
  }

  private static func digest(from reader: inout ByteReader) throws -> Digest {
    guard let digest = Digest(hexadecimal: try reader.readText()) else {
      throw ApusError(.format, "a job names its data by something that is no digest")
    }
    return digest
  }
}

extension FitScores {
  fileprivate func write(to writer: inout ByteWriter) {
    for list in [test, train] {
      writer.write(UInt32(list.count))
      for score in list { writer.write(score) }
    }
    writer.write(fitSeconds)
    writer.write(scoreSeconds)
    writer.write(UInt8((convergence == nil ? 0 : 1) | (failure == nil ? 0 : 2)))
    if let convergence {
      writer.write(UInt64(convergence.iterations))
      writer.write(UInt8(convergence.converged ? 1 : 0))
      writer.write(convergence.residual)
    }
    if let failure { writer.write(failure) }
  }

  fileprivate init(from reader: inout ByteReader) throws {
    let test = try (0..<reader.readCount()).map { _ in try reader.readDouble() }
    let train = try (0..<reader.readCount()).map { _ in try reader.readDouble() }
    self.init(
      test: test, train: train, fitSeconds: try reader.readDouble(), scoreSeconds: try reader.readDouble())
    let flags = try reader.read(UInt8.self)
    if flags & 1 != 0 {
      convergence = Convergence(
        iterations: Int(clamping: try reader.read(UInt64.self)), converged: try reader.read(UInt8.self) == 1,
        residual: try reader.readDouble())
    }
    if flags & 2 != 0 { failure = try reader.readText() }
  }
}

extension [String: ParameterValue] {
  /// Equal values give equal bytes.
  fileprivate func write(to writer: inout ByteWriter) {
    writer.write(UInt32(count))
    for (name, value) in sorted(by: { $0.key < $1.key }) {
      writer.write(name)
      value.write(to: &writer)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws {
    self.init()
    for _ in 0..<(try reader.readCount()) {
      let name = try reader.readText()
      self[name] = try ParameterValue(from: &reader)
    }
  }
}

extension ParameterValue {
  fileprivate func write(to writer: inout ByteWriter) {
    switch self {
    case .null: writer.write(UInt8(0))
    case .boolean(let value): writer.write(UInt8(value ? 2 : 1))
    case .integer(let value):
      writer.write(UInt8(3))
      writer.write(Int64(value))
    case .real(let value):
      writer.write(UInt8(4))
      writer.write(value)
    case .string(let value):
      writer.write(UInt8(5))
      writer.write(value)
    case .list(let values):
      writer.write(UInt8(6))
      writer.write(UInt32(values.count))
      for value in values { value.write(to: &writer) }
    case .object(let values):
      writer.write(UInt8(7))
      values.write(to: &writer)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws {
    switch try reader.read(UInt8.self) {
    case 0: self = .null
    case 1: self = .boolean(false)
    case 2: self = .boolean(true)
    case 3: self = .integer(Int(try reader.read(Int64.self)))
    case 4: self = .real(try reader.readDouble())
    case 5: self = .string(try reader.readText())
    case 6: self = .list(try (0..<reader.readCount()).map { _ in try ParameterValue(from: &reader) })
    case 7: self = .object(try [String: ParameterValue](from: &reader))
    case let tag: throw ApusError(.format, "a hyperparameter has the unknown tag \(tag)")
    }
  }
}
