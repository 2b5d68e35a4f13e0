import { defineJob } from '@libs/queueing';
import { z } from 'zod';

/** Counts a day again, because somebody asked. Re-runnable: counting twice is counting once. */
export const countUsageDay = defineJob({
  name: 'billing.count-day',
  queue: 'billing',
  payload: z.object({ day: z.string() }),
  id: ({ day }) => day,
  // Nobody else asks for it again: a database that is away for a moment must not be the end of it.
  attempts: 5,
});
