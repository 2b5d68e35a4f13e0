import { CannotStart } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { JobRunner } from '@libs/queueing';
import { Injectable } from '@nestjs/common';
import { ALL_JOBS } from '../jobs';
import { MarkedMethods } from './marked-methods';
import { processorProblems } from './processor-check.policy';
import { PROCESSES, type Processing } from './processes.decorator';

/** A job without its processor, or with two: the worker must not run like that. */
class ProcessorsIncomplete extends CannotStart {
  constructor(problems: readonly string[]) {
    super(`The worker cannot start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ProcessorsIncomplete';
  }
}

@Injectable()
export class ProcessorRegistry {
  constructor(
    private readonly methods: MarkedMethods,
    private readonly runner: JobRunner,
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  /** Checks that every job has exactly one processor, then starts taking jobs. @throws ProcessorsIncomplete */
  start(): void {
    const found = this.methods.find<Processing>(PROCESSES);
    const problems = processorProblems(
      ALL_JOBS.map((job) => job.name),
      found.map(({ mark }) => mark.job.name),
    );
    if (problems.length > 0) throw new ProcessorsIncomplete(problems);
    const failures = this.metrics.counter(
      'job_failures_total',
      'Tries of jobs that failed, by job',
      ['job'],
      ALL_JOBS.map((job) => job.name),
    );
    this.runner.start(
      found.map(({ mark, call }) => ({
        job: mark.job,
        concurrency: mark.concurrency,
        run: async (payload: never) => {
          await call(payload);
        },
      })),
      ({ job, attemptsMade, error }) => {
        failures.inc({ job });
        this.log.warn('a job failed', { job, attemptsMade, error });
      },
    );
  }

  stop(): Promise<void> {
    return this.runner.drain();
  }
}
