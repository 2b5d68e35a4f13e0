import { sendSessionPolicy, type FleetRole } from '@libs/aws';
import { EngineClock, isFresh, notFound, STREAMS, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { configurationSetName, sendSessionName } from './aws-names.policy';
import { sendRole } from './fleet-role.policy';
import { RouteRepository, type Sender } from './route.repository';

// Short enough that a new domain is in the session before it is READY.
const FRESH_MS = 2_000;
const MAX_ROLES = 20_000;

interface Known {
  readonly role: FleetRole;
  readonly readAt: number;
  /** Asked for since it was read: worth reading again with the others. */
  asked: boolean;
}

interface Pair {
  readonly account: SendingAccountId;
  readonly tenant: TenantId;
}

/**
 * Who to be to send a tenant's mail through an account. One statement reads whatever is asked for at a time and whatever
 * was in use, so that a busy worker reads once every two seconds and not once for every tenant on every account.
 */
@Injectable()
export class SendRoles {
  private readonly known = new Map<string, Known & Pair>();
  private readonly wanted = new Map<string, Pair>();
  private reading: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(
    private readonly routes: RouteRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * The send role, narrowed to the tenant's identities, configuration sets and From domains, at most two seconds old.
   * @throws DomainError NOT_FOUND
   */
  async of(account: SendingAccountId, tenant: TenantId): Promise<FleetRole> {
    const key = keyOf({ account, tenant });
    let known = this.known.get(key);
    if (known === undefined || !isFresh(known.readAt, this.clock.nowMs(), FRESH_MS)) {
      this.wanted.set(key, { account, tenant });
      this.next ??= this.readAfter(this.reading);
      await this.next;
      known = this.known.get(key);
    }
    if (known === undefined) throw notFound('The sending account', ['sendingAccountId']);
    known.asked = true;
    return known.role;
  }

  /** What is asked for while one statement runs goes into the one after it. */
  private async readAfter(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    this.reading = this.next;
    this.next = undefined;
    for (const [key, entry] of this.known) if (entry.asked) this.wanted.set(key, entry);
    const pairs = [...this.wanted.values()];
    this.wanted.clear();
    const readAt = this.clock.nowMs();
    const senders = await this.routes.senders(
      pairs.map((pair) => pair.account),
      pairs.map((pair) => pair.tenant),
    );
    if (this.known.size > MAX_ROLES) this.known.clear();
    for (const pair of pairs) this.known.delete(keyOf(pair));
    for (const sender of senders) this.keep(sender, readAt);
  }

  private keep(sender: Sender, readAt: number): void {
    const pair = { account: sender.sendingAccountId, tenant: sender.tenantId };
    const policy = sendSessionPolicy({
      accountId: sender.accountId,
      region: sender.region,
      domains: sender.domains,
      // Both, always: the session is then the same whatever streams the plan has.
      configurationSets: STREAMS.map((stream) => configurationSetName(sender.tenantId, stream)),
    });
    const role = sendRole(sender, sender.region, sendSessionName(sender.tenantId), policy);
    this.known.set(keyOf(pair), { ...pair, role, readAt, asked: false });
  }
}

function keyOf({ account, tenant }: Pair): string {
  return `${account}/${tenant}`;
}
