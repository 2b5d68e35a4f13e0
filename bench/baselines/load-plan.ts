import { SEND_EMAIL_PATH, sendEmailBody, SigV4Signer, type OutgoingMail } from '@libs/aws';
import { SystemClock } from '@libs/kernel';
import { Pool, type Dispatcher } from 'undici';
import { REGION } from '../seed';
import { accessKeyOf } from '../sink/control-answers';
import type { SinkAccount } from '../sink/sink-limits';

/** What a baseline is told: the one argument of its program, as JSON. */
export interface LoadPlan {
  readonly endpoint: string;
  readonly accounts: readonly SinkAccount[];
  readonly concurrency: number;
  readonly bodyBytes: number;
  readonly messages: number;
  /** Bull: whether each account has a queue of its own with a limiter. */
  readonly limited: boolean;
  readonly variant: BullVariant;
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** How a queue's application keeps its messages: see bull.main.ts. */
export type BullVariant = 'by-id' | 'lean';

export function readPlan(): LoadPlan {
  return JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
}

/** The mail every arm sends: one recipient, an HTML body, the tag by which the sink tells messages apart. */
export function benchMail(message: string, html: string): OutgoingMail {
  return {
    from: { email: 'news@bench.example' },
    to: [{ email: `${message}@inbox.example` }],
    cc: [],
    bcc: [],
    replyTo: [],
    content: { subject: 'Benchmark', html, headers: [], attachments: [] },
    configurationSet: 'pf-benchmark-mk',
    tags: { message },
  };
}

/** Sends with the same client, signer and body writer as the product: what differs between arms is the queueing. */
export class LeanClient {
  private readonly signer = new SigV4Signer('ses');
  private readonly clock = new SystemClock();
  private readonly pool: Pool;
  private readonly host: string;
  private readonly credentials;

  constructor(plan: LoadPlan, account: SinkAccount, connections: number) {
    this.host = new URL(plan.endpoint).host;
    this.pool = new Pool(plan.endpoint, { connections, pipelining: 1 });
    this.credentials = {
      accessKeyId: accessKeyOf(account.accountId),
      secretAccessKey: `secret-of-${account.accountId}`,
      sessionToken: 'token',
    };
  }

  /** Answers the HTTP status, 0 when the connection broke. */
  send(mail: OutgoingMail): Promise<number> {
    const body = sendEmailBody(mail);
    const post = { host: this.host, path: SEND_EMAIL_PATH, contentType: 'application/json', body };
    const headers = this.signer.sign(post, this.credentials, REGION, this.clock.nowMs());
    return new Promise((resolve) => {
      this.pool.dispatch({ method: 'POST', path: SEND_EMAIL_PATH, headers, body }, new StatusOnly(resolve));
    });
  }
}

/** undici's callbacks instead of its promises and streams: the cheapest way there is, for the arms too. */
class StatusOnly implements Dispatcher.DispatchHandler {
  private status = 0;

  constructor(private readonly settle: (status: number) => void) {}

  onRequestStart(): void {
    // nothing to keep
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status;
  }

  onResponseData(): void {
    // the answer's id is of no use here
  }

  onResponseEnd(): void {
    this.settle(this.status);
  }

  onResponseError(): void {
    this.settle(0);
  }
}
