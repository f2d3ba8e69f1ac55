import ApusML
import ApusParallel
import ApusSearch
import ApusStudies
import Synchronization
import Testing

@Suite struct KeptSearchTests {
  @Test(arguments: [
    SearchMethod.halving(HalvingSettings(smallest: 12)), .hyperband(HalvingSettings(smallest: 12)),
    .parzen(ParzenSettings(candidates: 30)), .asynchronousHalving(HalvingSettings(smallest: 12)), .grid,
  ]) func aSearchThatWasEndedGoesOn(method: SearchMethod) async throws {
    let scratch = try ScratchFolder()
    let tag = CountedMean.newTag()
    var search = AdaptiveSearch(factors(20, tag: tag, milliseconds: 0.2), method, options)
    search.stopRules.mostFits = 100_000
    let data = try rows()
    let shown = Mutex(0)
    for stop in [12, 40, 77] {
      let cancellation = Cancellation()
      _ = try? await search.run(
        on: data, keptIn: StudyFile(scratch.path("a.sqlite")), backend: ThreadBackend(workers: 2),
        cancellation: cancellation
      ) { event in
        guard case .fitFinished = event else { return }
        let count = shown.withLock { shown in
          shown += 1
          return shown
        }
        if count == stop { cancellation.cancel() }
      }
      shown.withLock { $0 = 0 }
    }
    let file = try StudyFile(scratch.path("a.sqlite"))
    let whole = try await search.run(on: data, keptIn: file, backend: ThreadBackend(workers: 2)).results
    let made = CountedMean.fits(tag).count
    // Whatever the method, the same again makes no fit, and decides the same.
    let restored = Mutex(0)
    let finished = Mutex(0)
    let again = try await search.run(on: data, keptIn: file, backend: SequentialBackend()) { event in
      switch event {
      case .restored(let fits, _): restored.withLock { $0 += fits }
      case .fitFinished: finished.withLock { $0 += 1 }
      default: break
      }
    }.results
    #expect(finished.withLock { $0 } == 0)
    #expect(restored.withLock { $0 } == again.candidates.reduce(0) { $0 + $1.fitSeconds.count })
    #expect(CountedMean.fits(tag).count == made)
    #expect(essence(again) == essence(whole))
    let progress = try file.study().progress()
    // A fit that was running when its search ended is made again: two slots, three times.
    #expect((progress.fits...progress.fits + 6).contains(made))
    if case .asynchronousHalving = method { return }
    let elsewhere = try await search.run(on: data, backend: SequentialBackend()).results
    #expect(essence(elsewhere) == essence(whole))
  }

  @Test func twoProcessesDecideTogether() async throws {
    let scratch = try ScratchFolder()
    let tag = CountedMean.newTag()
    let search = AdaptiveSearch(
      factors(20, tag: tag, milliseconds: 3), .asynchronousHalving(HalvingSettings(smallest: 12)), options)
    let data = try rows()
    let all = try await withThrowingTaskGroup(of: SearchResults.self) { group in
      for _ in 0..<2 {
        group.addTask {
          try await search.run(
            on: data, keptIn: StudyFile(scratch.path("a.sqlite")), backend: ThreadBackend(workers: 2)
          ).results
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(essence(all[0]) == essence(all[1]))
    #expect(try StudyFile(scratch.path("a.sqlite")).study().progress().fits == CountedMean.fits(tag).count)
  }

  @Test func asynchronousHalvingPromotesTheBest() async throws {
    let results = try await AdaptiveSearch(
      factors(40), .asynchronousHalving(HalvingSettings(smallest: 12)), options
    ).run(on: rows(), backend: ThreadBackend(workers: 2)).results
    let levels = Dictionary(grouping: results.candidates) { $0.stage?.iteration ?? -1 }
    #expect(levels[0]?.count == 40 && results.isComplete)
    #expect(levels.keys.max() == 2 && results.best?.stage?.resource == 120)
    for (level, trials) in levels where level > 0 {
      // At the end a level holds a third of the one below; early promotions may have added some.
      let below = try #require(levels[level - 1]).count
      #expect(trials.count >= below / 3 && trials.count < below)
    }
  }

  @Test func oneStudyHoldsSeveralSortsOfSearch() async throws {
    let scratch = try ScratchFolder()
    let file = try StudyFile(scratch.path("a.sqlite"))
    let (tag, data) = (CountedMean.newTag(), try rows())
    let grid = AdaptiveSearch(factors(9, tag: tag), .halving(HalvingSettings(smallest: 12)), options)
    let halved = try await grid.run(on: data, keptIn: file, backend: SequentialBackend()).results
    let study = try file.study()
    #expect(try study.best()?.parameters == halved.best?.parameters)
    #expect(try study.progress().partialFits == study.progress().fits)
    let same = try StudyComparison(study, study)
    #expect(try same.commonFits == study.progress().fits && same.equalFits == same.commonFits)
    var otherwise = grid
    otherwise.options.splitter = KFold(folds: 5, shuffle: true)
    let other = try StudyFile(scratch.path("b.sqlite"))
    _ = try await otherwise.run(on: data, keptIn: other, backend: SequentialBackend())
    let different = try StudyComparison(study, other.study())
    #expect(different.equalFits < different.commonFits)
    #expect(different.largest.contains { $0.trainRows == 12 && $0.fold < 5 }, "\(different.largest)")
    let whole = try await GridSearch(factors(9, tag: tag), options).run(
      on: data, keptIn: file, backend: SequentialBackend()
    ).results
    #expect(
      try study.progress().finishedCandidates == 9 && study.best()?.parameters == whole.best?.parameters)
    let fits = CountedMean.fits(tag).count
    _ = try await AdaptiveSearch(factors(9, tag: tag), .grid, options).run(
      on: data, keptIn: file, backend: SequentialBackend())
    #expect(CountedMean.fits(tag).count == fits)
  }
}
