import { newId } from '@libs/kernel';
import Bull from 'bull';
import { htmlOf } from '../seed';
import { benchMail, LeanClient, readPlan } from './load-plan';
import { StatusTable } from './status-table';

/**
 * BULL: one job per message, no limiter. The job holds the whole mail, so nothing is read from PostgreSQL on the way; jobs are
 * removed when done; statuses are written in batches. Sends with the product's lean client: what is measured is the queue.
 * It knows no quota, no rate, no fairness, and sends again what was under way when it is killed.
 */
const plan = readPlan();
const html = htmlOf(plan.bodyBytes);

interface Mail {
  readonly message: string;
  readonly account: number;
  readonly html: string;
}

async function main(): Promise<void> {
  const queue = new Bull<Mail>('bench-bull', plan.redisUrl, {
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  });
  const table = new StatusTable(plan.databaseUrl);
  const mails = Array.from({ length: plan.messages }, (_, i): Mail => ({
    message: newId(),
    account: i % plan.accounts.length,
    html,
  }));
  await table.create(mails.map(({ message }) => message));
  for (let from = 0; from < mails.length; from += 1_000) {
    await queue.addBulk(mails.slice(from, from + 1_000).map((data) => ({ data })));
  }
  const each = Math.ceil(plan.concurrency / plan.accounts.length);
  const clients = plan.accounts.map((account) => new LeanClient(plan, account, each));
  await queue.process(plan.concurrency, async ({ data }) => {
    await clients[data.account]?.send(benchMail(data.message, data.html));
    table.sent(data.message);
  });
}

void main();
