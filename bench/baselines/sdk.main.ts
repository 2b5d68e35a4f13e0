import { Agent } from 'node:http';
import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { newId } from '@libs/kernel';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { REGION, htmlOf } from '../seed';
import { accessKeyOf } from '../sink/control-answers';
import { readPlan } from './load-plan';

/**
 * SDK: AWS's own client in a loop, one client per account with keep-alive, enough sockets and no retries. Like RAW it has no
 * queue and no database: what a send costs that leaves everything to the SDK.
 */
const plan = readPlan();
const html = htmlOf(plan.bodyBytes);
const each = Math.ceil(plan.concurrency / plan.accounts.length);

async function loop(client: SESv2Client): Promise<never> {
  for (;;) {
    const message = newId();
    await client.send(
      new SendEmailCommand({
        FromEmailAddress: 'news@bench.example',
        Destination: { ToAddresses: [`${message}@inbox.example`] },
        Content: { Simple: { Subject: { Data: 'Benchmark' }, Body: { Html: { Data: html } } } },
        ConfigurationSetName: 'pf-benchmark-mk',
        EmailTags: [{ Name: 'message', Value: message }],
      }),
    );
  }
}

for (const { accountId } of plan.accounts) {
  const client = new SESv2Client({
    region: REGION,
    endpoint: plan.endpoint,
    maxAttempts: 1,
    credentials: {
      accessKeyId: accessKeyOf(accountId),
      secretAccessKey: `secret-of-${accountId}`,
      sessionToken: 'token',
    },
    requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: each }) }),
  });
  for (let i = 0; i < each; i += 1) void loop(client);
}
