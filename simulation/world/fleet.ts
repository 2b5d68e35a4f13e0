import type { FleetRole } from '@libs/aws';
import type { ObservationService, RouteService, SendingAccount, SendingAccountService } from '@libs/fleet';
import type { AwsAccountId, SendingAccountId } from '@libs/kernel';
import type { Provider } from './provider';
import type { SimulatedProcess } from './simulated-process';
import { EPOCH_MS, type VirtualTime } from './virtual-time';
import type { Wire } from './wire';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The rows of sending accounts as PostgreSQL has them: what was last observed, and the ledgers' epochs. */
export class SimulatedFleet {
  private readonly rows = new Map<SendingAccountId, Mutable<SendingAccount>>();

  add(id: SendingAccountId, accountId: string, quota: number, rate: string): void {
    this.rows.set(id, {
      id,
      awsAccountId: id as string as AwsAccountId,
      accountId,
      awsAccountState: 'ACTIVE',
      region: 'us-east-1',
      tier: 'growth',
      mode: 'LIVE',
      state: 'PRODUCTION',
      sendingEnabled: true,
      max24HourSend: BigInt(quota),
      maxSendRate: rate,
      sentLast24Hours: 0n,
      pricingPlan: 'NONE',
      epoch: 0n,
      topicArn: null,
      subscriptionArn: null,
      observedAt: null,
      apartUntil: null,
    });
  }

  /** A copy, as a query answers one. */
  find(id: SendingAccountId): SendingAccount | undefined {
    const row = this.rows.get(id);
    return row && { ...row };
  }

  all(): SendingAccount[] {
    return [...this.rows.values()].map((row) => ({ ...row }));
  }

  change(id: SendingAccountId, to: Partial<SendingAccount>): SendingAccount {
    const row = this.rows.get(id);
    if (!row) throw new Error('no such sending account');
    return { ...Object.assign(row, to) };
  }
}

type AccountCalls = Pick<
  SendingAccountService,
  'active' | 'get' | 'markFromSend' | 'bumpEpoch' | 'findByIds' | 'lanes'
>;

/** The services of libs/fleet that the engine calls, for one process. */
export class FleetCalls implements AccountCalls, Pick<ObservationService, 'observe'>, Pick<RouteService, 'sendRole'> {
  private readonly roles = new Map<SendingAccountId, FleetRole>();

  constructor(
    private readonly process: SimulatedProcess,
    private readonly fleet: SimulatedFleet,
    private readonly provider: Provider,
    private readonly wire: Wire,
    private readonly time: VirtualTime,
  ) {}

  active(): Promise<SendingAccount[]> {
    return this.wire.call(this.process, 'postgres', () => this.fleet.all());
  }

  get(id: SendingAccountId): Promise<SendingAccount> {
    return this.wire.call(this.process, 'postgres', () => this.fleet.change(id, {}));
  }

  findByIds(ids: readonly SendingAccountId[]): Promise<SendingAccount[]> {
    return this.wire.call(this.process, 'postgres', () => ids.flatMap((id) => this.fleet.find(id) ?? []));
  }

  markFromSend(id: SendingAccountId, state: 'PAUSED' | 'SUSPENDED'): Promise<void> {
    return this.wire.call(this.process, 'postgres', () => {
      this.fleet.change(id, { state });
    });
  }

  lanes(): Promise<[]> {
    return Promise.resolve([]);
  }

  bumpEpoch(id: SendingAccountId): Promise<bigint> {
    return this.wire.call(this.process, 'postgres', () => {
      const epoch = (this.fleet.find(id)?.epoch ?? 0n) + 1n;
      return this.fleet.change(id, { epoch }).epoch;
    });
  }

  async observe(id: SendingAccountId): ReturnType<ObservationService['observe']> {
    const seen = await this.wire.call(this.process, 'control', () => this.provider.getAccount(id));
    return this.wire.call(this.process, 'postgres', () => {
      const known = this.fleet.find(id);
      const observed = this.fleet.change(id, {
        max24HourSend: BigInt(seen.quota),
        maxSendRate: String(seen.rate),
        sentLast24Hours: BigInt(seen.sent),
        state: seen.paused ? 'PAUSED' : 'PRODUCTION',
        sendingEnabled: !seen.paused,
        observedAt: new Date(EPOCH_MS + this.time.nowMs),
      });
      return { before: known ?? observed, seen: observed };
    });
  }

  sendRole(account: SendingAccountId): Promise<FleetRole> {
    const known = this.roles.get(account) ?? {
      mode: 'LIVE',
      accountId: account,
      roleArn: 'arn',
      externalId: 'external',
      region: 'us-east-1',
      sessionName: 'pf-simulated',
    };
    this.roles.set(account, known);
    return Promise.resolve(known);
  }
}
