import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Mode } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsSettings } from './aws.settings';
import type { Credentials } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import { Transports } from './transport';

/** One hour: the most that role chaining allows, and a larger value would be refused (aws-facts 8). */
const SESSION_SECONDS = 3_600;

/** A principal as STS names it. */
export interface CallerIdentity {
  readonly accountId: string;
  readonly arn: string;
}

/** STS with the hub's own credentials. AssumeRole changes nothing, so the SDK may repeat it. */
@Injectable()
export class StsControl {
  private readonly hubs = new Map<Mode, STSClient>();

  constructor(
    private readonly settings: AwsSettings,
    private readonly transports: Transports,
  ) {}

  /** A session of that role. Rejects with STS's error: AccessDenied, RegionDisabledException, a network error... */
  async assume(role: FleetRole): Promise<Credentials> {
    const answer = await this.hub(role.mode).send(
      new AssumeRoleCommand({
        RoleArn: role.roleArn,
        RoleSessionName: role.sessionName,
        ExternalId: role.externalId,
        DurationSeconds: SESSION_SECONDS,
        ...(role.sessionPolicy === undefined ? {} : { Policy: role.sessionPolicy }),
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
      throw new Error(`STS answered AssumeRole for ${role.roleArn} without credentials`);
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  }

  /** Who those credentials are: proof that a session belongs to the account that was meant. */
  async callerIdentity(mode: Mode, credentials: Credentials): Promise<CallerIdentity> {
    return identityOf(this.client(mode, { credentials }));
  }

  /** Who this process is: the principal that a role's trust policy must name. */
  async hubIdentity(mode: Mode): Promise<CallerIdentity> {
    return identityOf(this.hub(mode));
  }

  private hub(mode: Mode): STSClient {
    const known = this.hubs.get(mode);
    if (known) return known;
    const client = this.client(mode, this.settings.hubCredentialsFor(mode));
    this.hubs.set(mode, client);
    return client;
  }

  private client(mode: Mode, identity: { credentials?: Partial<Credentials> & StaticKeys }): STSClient {
    return new STSClient({
      region: this.settings.hubRegion,
      maxAttempts: 3,
      requestHandler: this.transports.for('sts'),
      ...this.settings.endpointFor(mode),
      ...identity,
    });
  }
}

interface StaticKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function identityOf(client: STSClient): Promise<CallerIdentity> {
  const answer = await client.send(new GetCallerIdentityCommand({}));
  return { accountId: answer.Account ?? '', arn: answer.Arn ?? '' };
}
