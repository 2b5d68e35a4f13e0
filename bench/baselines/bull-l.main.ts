import { newId } from '@libs/kernel';
import Bull from 'bull';
import { htmlOf } from '../seed';
import { benchMail, LeanClient, readPlan } from './load-plan';
import { StatusTable } from './status-table';

/**
 * BULL-L: one job per message and a queue per account with Bull's limiter set to the account's rate: what Bull's manual says
 * to do about a provider's limit. Best configuration that was found: a queue per account rather than groups in one queue,
 * concurrency of twice what rate and latency need, the mail in the job, statuses in batches. A refused send is retried by
 * Bull. It counts jobs where SES counts recipients, and knows no 24-hour quota and no fairness.
 */
const plan = readPlan();
const html = htmlOf(plan.bodyBytes);
/** Mean latency of the sink with room for its slowest hundredth. */
const LATENCY_SECONDS = 0.12;

interface Mail {
  readonly message: string;
  readonly html: string;
}

async function main(): Promise<void> {
  const table = new StatusTable(plan.databaseUrl);
  const each = Math.ceil(plan.messages / plan.accounts.length);
  const ids = plan.accounts.map(() => Array.from({ length: each }, () => newId()));
  await table.create(ids.flat());
  const queues = plan.accounts.map(
    ({ accountId, rate }) =>
      new Bull<Mail>(`bench-bull-l-${accountId}`, plan.redisUrl, {
        limiter: { max: rate, duration: 1_000 },
        defaultJobOptions: { attempts: 5, backoff: 100, removeOnComplete: true, removeOnFail: true },
      }),
  );
  for (const [i, queue] of queues.entries()) {
    const messages = ids[i] ?? [];
    for (let from = 0; from < messages.length; from += 1_000) {
      await queue.addBulk(messages.slice(from, from + 1_000).map((message) => ({ data: { message, html } })));
    }
  }
  await Promise.all(
    queues.map((queue, i) => {
      const account = plan.accounts[i];
      if (!account) throw new Error('a queue without an account');
      const concurrency = Math.ceil(account.rate * LATENCY_SECONDS * 2);
      const client = new LeanClient(plan, account, concurrency);
      return queue.process(concurrency, async ({ data }) => {
        const status = await client.send(benchMail(data.message, data.html));
        if (status !== 200) throw new Error(`SES answered ${status}`);
        table.sent(data.message);
      });
    }),
  );
}

void main();
