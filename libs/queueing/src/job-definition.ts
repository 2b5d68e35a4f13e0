import type { z } from 'zod';

/**
 * Bull queues. Two for dispatch instead of priorities, because a priority insert costs O(backlog); events and control
 * apart, so that a storm of the one never delays the other; and billing, whose jobs hold a connection of the database for
 * minutes each: a process runs as many jobs of a queue at once as its kinds have turns together, of whatever kind they are.
 */
export const QUEUES = ['dispatch-tx', 'dispatch-bulk', 'events', 'control', 'billing'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Queues whose jobs are found again when they are lost: a ticket is swept, events are looked for. */
export const REGAINED: ReadonlySet<string> = new Set<QueueName>(['dispatch-tx', 'dispatch-bulk', 'events']);

/** A job as a value: its name, the schema of its payload (ids, never entities) and how it is tried. */
export interface JobDefinition<Payload> {
  readonly name: string;
  readonly queue: QueueName;
  readonly payload: z.ZodType<Payload>;
  /** What stands in Redis when it is not the payload as it is; the schema reads it. */
  readonly write?: (payload: Payload) => unknown;
  /** Derived from the facts, so that enqueuing twice is once while the first still waits or runs. */
  readonly id?: (payload: Payload) => string;
  /** Tries in all; 1 unless said otherwise. */
  readonly attempts: number;
  /** First pause between tries in milliseconds; doubles each time. */
  readonly backoffMs: number;
}

type Settings<Payload> = Pick<JobDefinition<Payload>, 'name' | 'queue' | 'payload'> &
  Partial<Pick<JobDefinition<Payload>, 'write' | 'id' | 'attempts' | 'backoffMs'>>;

export function defineJob<Payload>(settings: Settings<Payload>): JobDefinition<Payload> {
  return { attempts: 1, backoffMs: 1_000, ...settings };
}
