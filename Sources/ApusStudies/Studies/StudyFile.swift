import ApusData
import ApusML
import ApusParallel

/// A file in which searches keep every finished fit, so that they can be ended at any moment and continued.
///
/// ```swift
/// let file = try StudyFile("sweep.sqlite")
/// let outcome = try await GridSearch(space).run(on: data, keptIn: file, backend: ThreadBackend())
/// // Later, or after a power cut, the same lines continue: nothing finished is fitted again.
/// ```
///
/// A file holds one or more studies. A study is what searches with the same rows, splits, seed and metrics have
/// in common; a wider search space continues it. Several processes may work on a study at the same time: they
/// share the work, and each has the whole result in the end.
public struct StudyFile: Sendable {
  /// The file.
  public let path: String
  let store: any StudyStore

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - creates: whether it is made where there is none.
  /// - Throws: ``ApusError``: `file` when it cannot be opened; `format` for a file that is foreign, damaged or
  ///   of a newer version, which is left as it was.
  public init(_ path: String, creates: Bool = true) throws {
    self.path = path
    store = try SQLiteStudyStore(path: path, creates: creates)
  }

  /// Opens a file to look into it: the file is left as it is, and may lie in a folder, or on a full disk, where nothing
  /// can be written. Where it does, it must not change as long as this is used; elsewhere searches may write to it.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``ApusError`` as ``init(_:creates:)`` does.
  public init(reading path: String) throws {
    self.path = path
    store = try SQLiteStudyStore(reading: path)
  }

  /// All studies, oldest first; those that are parts of others, see ``StudyDescription/whole``, are among them.
  public func studies() throws -> [Study] { try store.studies().map { Study(description: $0, store: store) } }

  /// A study by its number; the latest that is not a part of another unless given.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when there is no such study.
  public func study(_ number: Int? = nil) throws -> Study {
    let all = try studies()
    guard
      let study = number == nil
        ? all.last(where: { $0.description.whole == nil })
        : all.first(where: { $0.description.number == number })
    else {
      guard let number, !all.isEmpty else {
        throw ApusError(
          .invalidParameter, "\(path) holds no study yet", hint: "begin one: apus search … --study \(path)")
      }
      throw ApusError(
        .invalidParameter, "\(path) has no study \(number)",
        hint: "it has \(all.map { "\($0.description.number)" }.joined(separator: ", "))")
    }
    return study
  }

  /// Removes a study with everything that belongs to it.
  public func remove(_ study: Study) throws { try store.remove(study: study.description.number) }

  /// Frees what processes that are gone have held, and makes the file as small as its contents.
  public func compact() throws { try store.collectGarbage() }
}

extension HyperparameterSearch {
  /// Runs the search, keeps every finished fit in a study, and makes only those fits that the study lacks.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from and score on.
  ///   - file: where fits are kept; each is committed before its event is sent.
  ///   - startsAnew: whether a new study is begun beside those of the file.
  ///   - note: words to keep with a new study, such as a command line.
  ///   - version: the program's version, to keep with a new study.
  ///   - backend: where fits run; the answer does not depend on it.
  ///   - cancellation: raised to end the search early; what is finished is returned.
  ///   - onEvent: called as the search goes on.
  /// - Throws: ``ApusError`` as ``HyperparameterSearch/run(on:backend:cancellation:onEvent:)`` does; also
  ///   `invalidParameter` when the file's studies have other rows, splits, seeds or metrics, and `file` when a
  ///   fit cannot be written.
  public func run(
    on data: Dataset, keptIn file: StudyFile, startingAnew startsAnew: Bool = false, note: String? = nil,
    version: String = "", backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
    onEvent: (@Sendable (SearchEvent) -> Void)? = nil
  ) async throws -> SearchOutcome {
    try await kept(in: file, startingAnew: startsAnew, note: note, version: version).run(
      on: data, backend: backend, cancellation: cancellation, onEvent: onEvent)
  }

  /// The search, keeping every finished fit in a study wherever it is run: by itself, or in a nested cross-validation.
  ///
  /// ```swift
  /// let search = GridSearch(space).kept(in: try StudyFile("sweep.sqlite"))
  /// let nested = try await nestedCrossValidate(search, on: data, backend: ThreadBackend())
  /// ```
  ///
  /// - Parameters:
  ///   - file: where fits are kept; each is committed before its event is sent.
  ///   - startsAnew: whether each run begins a new study beside those of the file.
  ///   - note: words to keep with a new study, such as a command line.
  ///   - version: the program's version, to keep with a new study.
  public func kept(
    in file: StudyFile, startingAnew startsAnew: Bool = false, note: String? = nil, version: String = ""
  ) -> Self {
    var search = self
    search.options.journal = StudyJournal(
      store: file.store, startsAnew: startsAnew, note: note, version: version)
    return search
  }
}
