import type { JobDefinition } from '@libs/queueing';
import { SetMetadata } from '@nestjs/common';

export const PROCESSES = Symbol('processes a job');

export interface Processing {
  readonly job: JobDefinition<never>;
  /** Turns that this kind brings to its queue in this process; the kinds of a queue share them. */
  readonly concurrency: number;
}

/** Marks the one method that runs a job. Its parameter must be the job's payload. */
export function Processes<Payload>(job: JobDefinition<Payload>, options: { readonly concurrency: number }) {
  return <Method extends (payload: Payload) => Promise<unknown>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    SetMetadata(PROCESSES, { job, concurrency: options.concurrency })(target, key, descriptor);
  };
}
