import ApusData
import ApusParallel
import Foundation
import Testing

/// Every decimal is read as the double that the C library's `strtod` gives.
@Suite struct ExactNumberTests {
  private func expectExact(_ texts: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let data = try Dataset(
      csvText: texts.joined(separator: "\n"), options: TableOptions(header: .absent))
    #expect(data.rowCount == texts.count, sourceLocation: sourceLocation)
    let wrong = zip(texts, data.features.elements).filter { text, value in
      strtod(text, nil).bitPattern != value.bitPattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))", sourceLocation: sourceLocation)
  }

  private func digits(_ count: Int, _ random: inout RandomSource) -> String {
    String((0..<count).map { _ in Character(String(random.integer(below: 10))) })
  }

  @Test func randomDecimals() throws {
    var random = Seed(1).randomSource()
    let texts = (0..<60_000).map { _ -> String in
      let whole = digits(random.integer(below: 12), &random)
      let fraction = digits(random.integer(below: 24) + (whole.isEmpty ? 1 : 0), &random)
      let sign = ["", "-", "+"][random.integer(below: 3)]
      let exponent =
        random.integer(below: 3) == 0 ? ["e", "E-", "e+"][random.integer(below: 3)] + digits(2, &random) : ""
      return sign + whole + (fraction.isEmpty ? "" : "." + fraction) + exponent
    }
    try expectExact(texts)
  }

  @Test func shortestAndFullDigitsOfRandomDoubles() throws {
    var random = Seed(2).randomSource()
    let values = (0..<30_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
    try expectExact(values.map { "\($0)" })
    let near = (0..<30_000).map { _ in random.normal() * exp(3 * random.normal()) }
    try expectExact(near.map { String(format: "%.17g", $0) })
    try expectExact(near.map { String(format: "%.19f", $0) })
  }

  @Test func halfwayCases() throws {
    // Halves between neighbouring doubles near 2^53 and above, where rounding twice would go wrong.
    var texts: [String] = []
    for offset in 0..<2_000 as Range<UInt64> {
      texts.append("\(9_007_199_254_740_993 + 2 * offset)")
      texts.append("\(9_007_199_254_740_993 + 2 * offset).0000000000001")
      texts.append("\((1 << 60) + (1 << 7) * (2 * offset + 1))")
      texts.append("0.\(String(format: "%019llu", 9_007_199_254_740_993 + 2 * offset))")
    }
    try expectExact(texts)
  }

  @Test func extremes() throws {
    try expectExact([
      "0", "-0", "0.0e99", "1e308", "1.7976931348623157e308", "1e309", "-1e400", "4.9e-324", "2e-324",
      "1e-400",
      "2.2250738585072011e-308", "1.", ".5", "-.5e1", "00012", "0.000000000000000000000000000012345",
      "123456789012345678901234567890", "1e0000000000000000000001", "9007199254740993",
      "18446744073709551616",
    ])
  }

  @Test func infinitiesAreNumbersAndNearMissesAreNot() throws {
    let data = try Dataset(csvText: "a\n1\ninf\n-Infinity\n")
    #expect(data.features.elements == [1, .infinity, -.infinity])
    for text in ["1e", "1e+", "--1", "1.2.3", ".", "-", "0x10", "1_000", "e5", "1 2", "١"] {
      #expect(throws: ApusError.self, "\(text)") { try Dataset(csvText: "a\n1\n2\n\(text)\n") }
    }
  }
}
