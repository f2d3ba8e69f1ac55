import ApusML
import Foundation

/// A value that a notebook shows as more than text.
///
/// ```swift
/// struct Badge: NotebookDisplayable {
///   var notebookData: [String: ParameterValue] { ["text/html": .string("<b>done</b>")] }
/// }
/// ```
public protocol NotebookDisplayable {
  /// The value by MIME type: text as a string, JSON formats as their tree. Plain text is added when missing.
  var notebookData: [String: ParameterValue] { get }
}

/// HTML to show in a notebook.
public struct HTML: NotebookDisplayable, Sendable {
  /// The markup.
  public var markup: String

  /// Creates a piece of HTML; nothing of it is escaped.
  public init(_ markup: String) { self.markup = markup }

  /// The markup.
  public var notebookData: [String: ParameterValue] { ["text/html": .string(markup)] }
}

/// Shows a value in the notebook, below the cell that runs.
///
/// - Parameters:
///   - value: what to show; as text unless it is ``NotebookDisplayable``.
///   - id: a name for what is shown: a later call with the same name replaces it.
public func display<Value>(_ value: Value, id: String? = nil) {
  CellOutput.shared.send(.init(data: notebookData(of: value), isResult: false, id: id))
}

/// What a notebook shows of a value.
package func notebookData<Value>(of value: Value) -> [String: ParameterValue] {
  let text: String
  if let string = value as? String {
    text = string.debugDescription
  } else {
    text = String(describing: value)
  }
  guard let displayable = value as? any NotebookDisplayable else { return ["text/plain": .string(text)] }
  var data = displayable.notebookData
  if data["text/plain"] == nil { data["text/plain"] = .string("\(type(of: value))") }
  return data
}
