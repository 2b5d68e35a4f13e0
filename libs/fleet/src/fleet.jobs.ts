import type { AwsAccountId, SendingAccountId } from '@libs/kernel';
import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const id = <Id extends string>() => z.uuid() as unknown as z.ZodType<Id>;

// No derived ids: Bull drops a job whose id still runs, and a change made during that run would wait for ever.

/** Checks an account that joins, step by step. Re-runnable; heals an account that failed. */
export const verifyAwsAccount = defineJob({
  name: 'fleet.verify-aws-account',
  queue: 'control',
  payload: z.object({ awsAccountId: id<AwsAccountId>() }),
  attempts: 5,
  backoffMs: 2_000,
});

/** Confirms the subscription of our webhook to an account's topic, by API. Re-runnable. */
export const confirmSubscription = defineJob({
  name: 'fleet.confirm-subscription',
  queue: 'control',
  payload: z.object({ sendingAccountId: id<SendingAccountId>(), topicArn: z.string(), token: z.string() }),
  attempts: 8,
  backoffMs: 1_000,
});
