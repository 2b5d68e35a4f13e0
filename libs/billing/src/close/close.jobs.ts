import { defineJob } from '@libs/queueing';
import { z } from 'zod';

/** Takes a month where it was asked to go, from where it stands. Re-runnable; the month's own row says what is left. */
export const closePeriod = defineJob({
  name: 'billing.close',
  queue: 'billing',
  payload: z.object({ period: z.string() }),
  id: ({ period }) => period,
});
