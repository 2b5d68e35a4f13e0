import { newId } from '@libs/kernel';
import { htmlOf } from '../seed';
import { benchMail, LeanClient, readPlan } from './load-plan';

/**
 * RAW: writes, signs and posts in a loop, as fast as the answers come. No queue, no database, no record of anything: the
 * limit of this machine and this HTTP client. undici, signer and body writer are the product's, used the cheapest way there is.
 */
const plan = readPlan();
const html = htmlOf(plan.bodyBytes);
const each = Math.ceil(plan.concurrency / plan.accounts.length);

async function loop(client: LeanClient): Promise<never> {
  for (;;) await client.send(benchMail(newId(), html));
}

for (const account of plan.accounts) {
  const client = new LeanClient(plan, account, each);
  for (let i = 0; i < each; i += 1) void loop(client);
}
