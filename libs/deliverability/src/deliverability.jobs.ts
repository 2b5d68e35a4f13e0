import { defineJob } from '@libs/queueing';
import { z } from 'zod';

/**
 * Applies stored notifications. A hint: a tick does the same. The slot (a tenth of a second of real time) makes all
 * deliveries within it one job.
 */
export const processEvents = defineJob({
  name: 'events.process',
  queue: 'events',
  payload: z.object({ slot: z.number().int().optional() }),
  id: ({ slot }) => String(slot ?? 'any'),
});
