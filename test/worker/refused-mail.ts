import { SESv2Client } from '@aws-sdk/client-sesv2';
import { RouteService } from '@libs/fleet';
import { newId, type BatchId, type MessageId, type Stream } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const OWNER = { accessKeyId: 'AKIAOWNER00000000001', secretAccessKey: 'own-secret-own-secret-own-secret-0001' };

type Route = Awaited<ReturnType<RouteService['list']>>[number];

/** A staged worker, and SES as the account's owner has it, who can make it refuse mail and take it again. */
export class RefusedMail {
  private constructor(
    readonly staged: StagedCrash,
    readonly ses: SESv2Client,
  ) {}

  static async start(): Promise<RefusedMail> {
    const staged = await StagedCrash.start();
    const users = [{ ...OWNER, userName: 'owner', admin: true }];
    await staged.stack.aws.putAccount(staged.account.accountId, { users });
    const { endpoint } = staged.stack.simulator;
    const ses = new SESv2Client({ endpoint, region: 'us-east-1', credentials: OWNER, maxAttempts: 1 });
    return new RefusedMail(staged, ses);
  }

  async close(): Promise<void> {
    this.ses.destroy();
    await this.staged.close();
  }

  inWorker<T>(service: abstract new (...args: never[]) => T): T {
    return this.staged.running.app.get(service as never, { strict: false });
  }

  async route(stream: Stream = 'TRANSACTIONAL'): Promise<Route> {
    const found = (await this.inWorker(RouteService).list(this.staged.tenant)).find((one) => one.stream === stream);
    if (!found) throw new Error('the tenant has no route');
    return found;
  }

  /** As if the time that was put off had passed. */
  async comeDue(ids: readonly MessageId[]): Promise<void> {
    await this.staged.stack.query('UPDATE message SET not_before = NULL WHERE id = ANY($1)', [ids]);
    await this.staged.stack.query('UPDATE backlog SET due_at = NULL WHERE message_id = ANY($1)', [ids]);
  }

  /** The feeder leaves what is younger than two seconds to the api, and asks once a second who waits. */
  async fedUntil(count: number): Promise<void> {
    await waitFor(async () => (await this.staged.engine.feed(), (await this.staged.listed()) === count), {
      what: `${String(count)} messages to be listed`,
      everyMs: 200,
    });
  }

  /** Takes a grant for what is listed and sends it, as pump and worker would. */
  async dispatchListed(): Promise<void> {
    const batchId = newId<BatchId>();
    const grant = await this.staged.ledger.acquire(this.staged.account.id, this.staged.request(batchId));
    if (grant.kind !== 'grant') throw new Error(`no grant: ${JSON.stringify(grant)}`);
    await this.staged.engine.dispatch(this.staged.ticketOf(batchId, grant));
  }
}
