import ApusML
import ApusParallel
import Foundation

/// What was wrong with a cell, in the cell's own lines.
struct CellError: Error {
  var name: String
  var message: String
  var lines: [String]
}

/// Makes a library of each cell with the toolchain's own parser, compiler and linker.
struct CellCompiler {
  private let tools: URL
  private let resources: String
  private let triple: String
  private let products: URL
  let folder: URL

  /// Finds the toolchain.
  ///
  /// - Parameters:
  ///   - products: the folder with the `Modules` that Apus was built into.
  ///   - folder: where cells are compiled.
  /// - Throws: ``ApusError`` of kind `file` without a toolchain or modules.
  init(products: URL, folder: URL) throws {
    self.products = products
    self.folder = folder
    guard FileManager.default.fileExists(atPath: products.appendingPathComponent("Modules").path) else {
      throw ApusError(
        .file, "there are no modules of Apus in \(products.path)",
        hint: "run 'swift build -c release' and name its folder in APUS_NOTEBOOK_BUILD")
    }
    let run = try Self.run(URL(fileURLWithPath: "/usr/bin/env"), ["swiftc", "-print-target-info"])
    guard run.status == 0, let info = try? JSONDecoder().decode(ParameterValue.self, from: run.output),
      let resources = info["paths"]?["runtimeResourcePath"]?.text,
      let triple = info["target"]?["unversionedTriple"]?.text
    else { throw ApusError(.file, "swiftc does not run: \(run.errors)", hint: "put it on the PATH") }
    self.resources = resources
    self.triple = triple
    tools = URL(fileURLWithPath: resources).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("bin")
  }

  /// Parses a cell; what cannot be parsed is an error of the compilation that follows.
  func parse(_ code: String, number: Int) throws -> (CellSyntax, CellTokens) {
    let file = folder.appendingPathComponent("parsed.swift")
    try Data(code.utf8).write(to: file)
    let run = try Self.run(
      tools.appendingPathComponent("swift-frontend"),
      ["-frontend", "-dump-parse", "-dump-ast-format", "json", "-diagnostic-style", "llvm", file.path])
    let tokens = CellTokens(Array(code.utf8))
    guard run.status == 0 else {
      let errors = run.errors.replacing(file.path, with: "Cell \(number)")
      throw Diagnostics(errors, number: number, code: code, column: { column, _ in column }).error
    }
    return (try CellSyntax(tree: run.output, tokens: tokens), tokens)
  }

  /// Compiles and links a cell; returns the library's path.
  func compile(_ rewriting: CellRewriting, number: Int, preamble: String) throws -> String {
    let module = "Cell\(number)"
    let work = folder.appendingPathComponent(module)
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    let source = work.appendingPathComponent("main.swift")
    let text = """
      \(preamble)
      #sourceLocation(file: "Cell \(number)", line: 1)
      \(rewriting.text)
      #sourceLocation()
      enum _\(module) {}

      """
    try Data(text.utf8).write(to: source)
    let object = work.appendingPathComponent("cell.o").path
    let frontend = try Self.run(
      tools.appendingPathComponent("swift-frontend"),
      [
        "-frontend", "-c", "-primary-file", source.path, "-o", object, "-module-name", module,
        "-emit-module-path", folder.appendingPathComponent("\(module).swiftmodule").path, "-O",
        "-suppress-warnings", "-diagnostic-style", "llvm",
      ] + moduleArguments)
    let original = String(decoding: rewriting.original, as: UTF8.self)
    guard frontend.status == 0 else {
      let errors = frontend.errors.replacing(work.path + "/", with: "")
      throw Diagnostics(errors, number: number, code: original, column: rewriting.column).error
    }
    let library = work.appendingPathComponent("lib\(module).so").path
    let link = try Self.run(
      tools.appendingPathComponent("ld.lld"),
      ["-shared", "--wrap=swift_errorInMain", "-o", library, object, registration]
        + libraries(of: object))
    guard link.status == 0 else {
      throw CellError(name: "LinkError", message: link.errors, lines: [link.errors])
    }
    return library
  }

  /// The toolchain's libraries that a cell's imports ask for, such as that of `RegexBuilder`; all others are in
  /// this program.
  private func libraries(of object: String) throws -> [String] {
    let list = object + ".autolink"
    let run = try Self.run(
      tools.appendingPathComponent("swift-autolink-extract"), [object, "-o", list])
    guard run.status == 0 else {
      throw CellError(name: "LinkError", message: run.errors, lines: [run.errors])
    }
    let folder = "\(resources)/linux"
    let names = try String(contentsOfFile: list, encoding: .utf8).split(whereSeparator: \.isWhitespace)
      .filter {
        $0.hasPrefix("-l") && FileManager.default.fileExists(atPath: "\(folder)/lib\($0.dropFirst(2)).so")
      }
    return ["--as-needed", "-L", folder, "-rpath", folder] + names.map(String.init)
  }

  /// Tells the runtime of a library's types and conformances when it is loaded.
  private var registration: String {
    "\(resources)/linux/\(triple.prefix { $0 != "-" })/swiftrt.o"
  }

  /// What tells the compiler, and an editor's language server, where modules are.
  var moduleArguments: [String] {
    let plugins = "\(resources)/host/plugins"
    return [
      "-target", triple, "-swift-version", "5", "-enable-testing", "-I", folder.path, "-I",
      products.appendingPathComponent("Modules").path, "-module-cache-path",
      cache.path, "-plugin-path", plugins,
    ] + moduleMaps.flatMap { ["-Xcc", "-fmodule-map-file=\($0)"] }
  }

  /// Where the compiler keeps what it has made of C modules: the first cell takes some ten seconds without.
  private var cache: URL {
    let environment = ProcessInfo.processInfo.environment
    let root =
      environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? (environment["HOME"].map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser).appendingPathComponent(".cache")
    return root.appendingPathComponent("apus/notebook-modules")
  }

  /// The C modules that Apus' modules were built with: those of the build, and those that sources bring.
  private var moduleMaps: [String] {
    let manager = FileManager.default
    func maps(in folder: URL, _ path: String) -> [String] {
      let names = (try? manager.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.sorted().map { folder.appendingPathComponent($0 + path).path }.filter(manager.fileExists)
    }
    let build = products.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
    let sources = build.deletingLastPathComponent().appendingPathComponent("Sources")
    let systemLibraries = ["CZlib", "CLibcrypto"].map { sources.appendingPathComponent($0).path }
      .map { $0 + "/module.modulemap" }
    let sqlite = build.appendingPathComponent("checkouts/GRDB.swift/Sources/GRDBSQLite/module.modulemap").path
    return maps(in: products, "/module.modulemap") + (systemLibraries + [sqlite]).filter(manager.fileExists)
  }

  private static func run(_ program: URL, _ arguments: [String]) throws -> (
    status: Int32, output: Data, errors: String
  ) {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let output = Pipe()
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Both are read at once: a program that fills one pipe while nobody reads it would wait for ever.
    nonisolated(unsafe) var text = Data()
    let isRead = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      text = errors.fileHandleForReading.readDataToEndOfFile()
      isRead.signal()
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    isRead.wait()
    process.waitUntilExit()
    return (process.terminationStatus, data, String(decoding: text, as: UTF8.self))
  }
}
