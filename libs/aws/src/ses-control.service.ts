import {
  AlreadyExistsException,
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  CreateDedicatedIpPoolCommand,
  CreateEmailIdentityCommand,
  GetAccountCommand,
  GetConfigurationSetCommand,
  GetDedicatedIpsCommand,
  GetEmailIdentityCommand,
  ListDedicatedIpPoolsCommand,
  NotFoundException,
  PutConfigurationSetDeliveryOptionsCommand,
  PutDedicatedIpInPoolCommand,
  UpdateConfigurationSetEventDestinationCommand,
  type EventType,
  type MailFromAttributes,
  type SESv2Client,
} from '@aws-sdk/client-sesv2';
import { Injectable } from '@nestjs/common';
import { accountSnapshot, type AccountSnapshot } from './account-snapshot.policy';
import { ControlPace } from './control-pace';
import type { FleetRole } from './fleet-role';
import { SesClients } from './ses-clients';

/** A dedicated IP as SES reports it; percentage is -1 for managed pools. */
export interface DedicatedIpInfo {
  readonly ip: string;
  /** Undefined when the IP is in no pool: it then carries everybody's mail (aws-facts 1.5). */
  readonly poolName: string | undefined;
  readonly warmupStatus: string;
  readonly warmupPercentage: number;
}

export interface ConfigurationSetWish {
  readonly name: string;
  /** A pool's name, or `ses-shared-pool`; always explicit. */
  readonly poolName: string;
  /** Where its events go. */
  readonly topicArn: string;
}

/** Everything that says what became of a message; opens and clicks are the tenant's choice and come later. */
const EVENT_TYPES: EventType[] = [
  'SEND',
  'REJECT',
  'BOUNCE',
  'COMPLAINT',
  'DELIVERY',
  'DELIVERY_DELAY',
  'RENDERING_FAILURE',
];
const EVENT_DESTINATION = 'postfleet';
/** The pool AWS adds leased IPs to when nobody put them anywhere: the same as no pool. */
const UNASSIGNED_POOL = 'ses-default-dedicated-pool';

/** Control calls to SES, in the name of a fleet's manage role. */
@Injectable()
export class SesControl {
  constructor(
    private readonly clients: SesClients,
    private readonly pace: ControlPace,
  ) {}

  for(role: FleetRole): SesAccountControl {
    return new SesAccountControl(role, this.clients.for(role), this.pace);
  }
}

/** One account in one region. Every method may be repeated: it makes things be as asked. Rejects with AWS's error. */
export class SesAccountControl {
  constructor(
    private readonly role: FleetRole,
    private readonly client: SESv2Client,
    private readonly pace: ControlPace,
  ) {}

  async getAccount(): Promise<AccountSnapshot> {
    return accountSnapshot(await this.paced(() => this.client.send(new GetAccountCommand({}))));
  }

  /**
   * Creates the set, or corrects its pool and event destination. Answers whether it may send: a set that somebody switched
   * off stays off.
   */
  async ensureConfigurationSet(wish: ConfigurationSetWish): Promise<boolean> {
    const delivery = { SendingPoolName: wish.poolName };
    const created = await this.unlessPresent(() =>
      this.client.send(
        new CreateConfigurationSetCommand({
          ConfigurationSetName: wish.name,
          DeliveryOptions: delivery,
          ReputationOptions: { ReputationMetricsEnabled: true },
          SendingOptions: { SendingEnabled: true },
          SuppressionOptions: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
        }),
      ),
    );
    if (!created) {
      await this.paced(() =>
        this.client.send(
          new PutConfigurationSetDeliveryOptionsCommand({ ConfigurationSetName: wish.name, ...delivery }),
        ),
      );
    }
    await this.ensureEventDestination(wish);
    return created || (await this.maySend(wish.name));
  }

  async listPools(): Promise<string[]> {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const next: string | undefined = token;
      const page = await this.paced(() =>
        this.client.send(new ListDedicatedIpPoolsCommand({ PageSize: 100, ...(next ? { NextToken: next } : {}) })),
      );
      names.push(...(page.DedicatedIpPools ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return names;
  }

  async ensurePool(poolName: string): Promise<void> {
    await this.unlessPresent(() =>
      this.client.send(new CreateDedicatedIpPoolCommand({ PoolName: poolName, ScalingMode: 'STANDARD' })),
    );
  }

  async listDedicatedIps(): Promise<DedicatedIpInfo[]> {
    const ips: DedicatedIpInfo[] = [];
    let token: string | undefined;
    do {
      const next: string | undefined = token;
      const page = await this.paced(() =>
        this.client.send(new GetDedicatedIpsCommand({ PageSize: 100, ...(next ? { NextToken: next } : {}) })),
      );
      for (const { Ip, PoolName, WarmupStatus, WarmupPercentage } of page.DedicatedIps ?? []) {
        if (Ip === undefined) continue;
        ips.push({
          ip: Ip,
          poolName: PoolName === undefined || PoolName === '' || PoolName === UNASSIGNED_POOL ? undefined : PoolName,
          warmupStatus: WarmupStatus ?? 'NOT_APPLICABLE',
          warmupPercentage: WarmupPercentage ?? 0,
        });
      }
      token = page.NextToken;
    } while (token !== undefined);
    return ips;
  }

  async putIpInPool(ip: string, poolName: string): Promise<void> {
    await this.paced(() =>
      this.client.send(new PutDedicatedIpInPoolCommand({ Ip: ip, DestinationPoolName: poolName })),
    );
  }

  /** Creates the identity or finds it. True when mail may be sent from it already. */
  async ensureIdentity(domain: string): Promise<boolean> {
    let verified = false;
    const created = await this.unlessPresent(async () => {
      const answer = await this.client.send(new CreateEmailIdentityCommand({ EmailIdentity: domain }));
      verified = answer.VerifiedForSendingStatus === true;
    });
    return created ? verified : (await this.identityVerified(domain)) === true;
  }

  /** True when mail may be sent from it; undefined when SES does not know it. */
  async identityVerified(domain: string): Promise<boolean | undefined> {
    try {
      const answer = await this.paced(() => this.client.send(new GetEmailIdentityCommand({ EmailIdentity: domain })));
      return answer.VerifiedForSendingStatus === true && !isHeldByMailFrom(answer.MailFromAttributes);
    } catch (error) {
      if (error instanceof NotFoundException) return undefined;
      throw error;
    }
  }

  private async ensureEventDestination({ name, topicArn }: ConfigurationSetWish): Promise<void> {
    const destination = {
      ConfigurationSetName: name,
      EventDestinationName: EVENT_DESTINATION,
      EventDestination: { Enabled: true, MatchingEventTypes: EVENT_TYPES, SnsDestination: { TopicArn: topicArn } },
    };
    const created = await this.unlessPresent(() =>
      this.client.send(new CreateConfigurationSetEventDestinationCommand(destination)),
    );
    if (created) return;
    await this.paced(() => this.client.send(new UpdateConfigurationSetEventDestinationCommand(destination)));
  }

  private async maySend(configurationSet: string): Promise<boolean> {
    const command = new GetConfigurationSetCommand({ ConfigurationSetName: configurationSet });
    const { SendingOptions } = await this.paced(() => this.client.send(command));
    return SendingOptions?.SendingEnabled !== false;
  }

  /** Runs a create call; false when the thing exists already. */
  private async unlessPresent(create: () => Promise<unknown>): Promise<boolean> {
    try {
      await this.paced(create);
      return true;
    } catch (error) {
      if (error instanceof AlreadyExistsException) return false;
      throw error;
    }
  }

  private paced<T>(call: () => Promise<T>): Promise<T> {
    return this.pace.run(`${this.role.mode}/${this.role.accountId}/${this.role.region}`, call);
  }
}

/** An owner may ask SES to refuse mail while the MX record of a MAIL FROM domain is not found (aws-facts 1.4). */
function isHeldByMailFrom(mailFrom: MailFromAttributes | undefined): boolean {
  return mailFrom?.BehaviorOnMxFailure === 'REJECT_MESSAGE' && mailFrom.MailFromDomainStatus !== 'SUCCESS';
}
