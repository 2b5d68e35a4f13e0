import { newId } from '@libs/kernel';
import Bull from 'bull';
import { htmlOf } from '../seed';
import type { SinkAccount } from '../sink/sink-limits';
import { benchMail, LeanClient, readPlan } from './load-plan';
import { MessageTable } from './message-table';

/**
 * BULL: one job per message in one queue, no limiter. BULL-L: a queue per account with Bull's limiter set to the account's
 * rate, which is what Bull's manual says to do about a provider's limit; refused sends are retried by Bull. A queue per
 * account rather than groups in one queue, and concurrency of twice what rate and latency need: the best that was found.
 *
 * Both in two variants. By id, as applications are built: the job carries the message's id, the worker loads the message and
 * writes its status when it is sent, row by row. Lean: the job carries the mail, so nothing is loaded, and statuses are
 * written some hundred at a time; the least that a queue of jobs can cost.
 *
 * All send with the product's lean client: what is measured is the queue. Jobs count where SES counts recipients; there is no
 * 24-hour quota and no fairness, and what was under way when it is killed is sent again.
 */
const plan = readPlan();
const html = htmlOf(plan.bodyBytes);
/** Mean latency of the sink with room for its slowest hundredth. */
const LATENCY_SECONDS = 0.12;

interface Job {
  readonly message: string;
  /** Place of its account in the plan. */
  readonly account: number;
  /** Without it the message waits in the table. */
  readonly html?: string;
}

async function main(): Promise<void> {
  const table = new MessageTable(plan.databaseUrl);
  const byId = plan.variant === 'by-id';
  const jobs = Array.from({ length: plan.messages }, (_, i): Job => {
    const job = { message: newId(), account: i % plan.accounts.length };
    return byId ? job : { ...job, html };
  });
  await table.create(
    jobs.map(({ message }) => message),
    byId ? html : null,
  );

  const clients = plan.accounts.map((account) => new LeanClient(plan, account, concurrencyOf(account)));
  const work = async ({ data }: { readonly data: Job }) => {
    const body = data.html ?? (await table.htmlOf(data.message));
    const status = await clients[data.account]?.send(benchMail(data.message, body));
    if (status !== 200) throw new Error(`SES answered ${String(status)}`);
    if (byId) await table.sent(data.message);
    else table.sentSoon(data.message);
  };
  if (!plan.limited) {
    const queue = await filled('bench-bull', jobs, { attempts: 1 });
    await queue.process(plan.concurrency, work);
    return;
  }
  const queues: Bull.Queue<Job>[] = [];
  for (const [i, { accountId, rate }] of plan.accounts.entries()) {
    const own = jobs.filter((job) => job.account === i);
    const limiter = { max: rate, duration: 1_000 };
    queues.push(await filled(`bench-bull-l-${accountId}`, own, { attempts: 5, backoff: 100 }, limiter));
  }
  for (const [i, account] of plan.accounts.entries()) void queues[i]?.process(concurrencyOf(account), work);
}

/** Requests under way per account. */
function concurrencyOf({ rate }: SinkAccount): number {
  return Math.ceil(plan.limited ? rate * LATENCY_SECONDS * 2 : plan.concurrency / plan.accounts.length);
}

async function filled(
  name: string,
  jobs: readonly Job[],
  options: Bull.JobOptions,
  limiter?: Bull.RateLimiter,
): Promise<Bull.Queue<Job>> {
  const queue = new Bull<Job>(name, plan.redisUrl, {
    defaultJobOptions: { ...options, removeOnComplete: true, removeOnFail: true },
    ...(limiter === undefined ? {} : { limiter }),
  });
  for (let from = 0; from < jobs.length; from += 1_000) {
    await queue.addBulk(jobs.slice(from, from + 1_000).map((data) => ({ data })));
  }
  return queue;
}

void main();
