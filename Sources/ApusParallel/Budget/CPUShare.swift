/// The part of the CPUs that the running job, or the running part of a parallel loop, may keep busy.
///
/// Nested parallelism reads it: what is called inside a job never uses more threads than the job was given,
/// however many it asks for. It is a task-local value, so that it is seen by plain functions on a worker's
/// thread and by tasks that they start.
package enum CPUShare {
  /// The number of threads, at least 1; nil outside any job or loop.
  @TaskLocal package static var current: Int?
}
