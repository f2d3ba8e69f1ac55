import ApusML
import Foundation

/// A NumPy array of records (NEP 1, format 1.0 or 2.0) whose fields are the columns of a table.
///
/// A column of numbers is `<f8`, NaN where there is none; a column of whole numbers without gaps is `<i8`; any
/// other is text in UTF-32, as wide as its longest cell.
struct StructuredArrayLayout {
  private enum Field: Equatable {
    case integers
    case numbers
    case text(width: Int)

    var type: String {
      switch self {
      case .integers: "<i8"
      case .numbers: "<f8"
      case .text(let width): "<U\(width)"
      }
    }
  }

  private let names: [String]
  private var fields: [Field]
  private var rowCount = 0

  init(names: [String]) {
    self.names = names
    fields = [Field](repeating: .integers, count: names.count)
  }

  /// Makes room for a row.
  mutating func widen(to cells: [ParameterValue]) {
    rowCount += 1
    for (index, cell) in cells.enumerated() {
      switch (fields[index], cell) {
      case (.integers, .integer): break
      case (.integers, .real), (.integers, .null): fields[index] = .numbers
      case (.numbers, .integer), (.numbers, .real), (.numbers, .null): break
      case (.text(let width), _): fields[index] = .text(width: max(width, Self.width(cell)))
      // The cells before were numbers, whose text is short.
      default: fields[index] = .text(width: max(24, Self.width(cell)))
      }
    }
  }

  /// What stands before the records.
  var header: Data {
    let types = zip(names, fields).map { "(\(Self.literal($0)), '\($1.type)')" }.joined(separator: ", ")
    var text = "{'descr': [\(types)], 'fortran_order': False, 'shape': (\(rowCount),), }"
    let prefix = text.utf8.count > 65_000 ? 12 : 10
    // Records begin at a multiple of 64 bytes.
    text += String(repeating: " ", count: 63 - (prefix + text.utf8.count) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [prefix == 12 ? 2 : 1, 0])
    let length = UInt32(text.utf8.count)
    withUnsafeBytes(of: length.littleEndian) { data.append(contentsOf: $0.prefix(prefix - 8)) }
    return data + Data(text.utf8)
  }

  /// A row as a record.
  func record(_ cells: [ParameterValue]) -> Data {
    var data = Data()
    for (field, cell) in zip(fields, cells) {
      switch field {
      case .integers:
        let number: Int = if case .integer(let value) = cell { value } else { 0 }
        withUnsafeBytes(of: Int64(number).littleEndian) { data.append(contentsOf: $0) }
      case .numbers:
        withUnsafeBytes(of: (cell.number ?? .nan).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      case .text(let width):
        let scalars = ResultTable.text(cell).unicodeScalars.prefix(width)
        for scalar in scalars {
          withUnsafeBytes(of: scalar.value.littleEndian) { data.append(contentsOf: $0) }
        }
        data.append(Data(count: 4 * (width - scalars.count)))
      }
    }
    return data
  }

  private static func width(_ cell: ParameterValue) -> Int {
    max(1, ResultTable.text(cell).unicodeScalars.count)
  }

  private static func literal(_ name: String) -> String {
    "'" + name.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
