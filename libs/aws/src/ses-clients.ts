import { SESv2Client } from '@aws-sdk/client-sesv2';
import type { Clock } from '@libs/kernel';
import type { AwsSettings } from './aws.settings';
import { BoundedMap } from './bounded-map';
import type { CredentialCache, Credentials } from './credential-cache.service';
import { sessionKey, type FleetRole } from './fleet-role';
import type { Transports } from './transport';

/** 500 clients were measured at 22 KiB and 0.19 ms each (aws-facts 2.2): the bound keeps a big fleet from piling them up. */
const MAX_CLIENTS = 2_000;

/**
 * Credentials for an SDK client that ask the cache at every request: with an expiration of "now" the SDK keeps nothing
 * itself, so a session that was refreshed or forgotten is never used again by an older client.
 */
export function credentialsFrom(cache: CredentialCache, role: FleetRole, clock: Clock): () => Promise<Credentials> {
  return async () => ({ ...(await cache.get(role)), expiration: clock.now() });
}

/** SES clients of the control plane by session and region. Their calls may be repeated; SendEmail is not among them. */
export class SesClients {
  private readonly clients = new BoundedMap<SESv2Client>(MAX_CLIENTS);

  constructor(
    private readonly settings: AwsSettings,
    private readonly transports: Transports,
    private readonly cache: CredentialCache,
    private readonly clock: Clock,
  ) {}

  for(role: FleetRole): SESv2Client {
    const key = `${sessionKey(role)}/${role.region}`;
    const known = this.clients.get(key);
    if (known) return known;
    // A client that falls out of the cache is not destroyed: it shares its handler with the others.
    const client = new SESv2Client({
      region: role.region,
      maxAttempts: 3,
      requestHandler: this.transports.for('control'),
      credentials: credentialsFrom(this.cache, role, this.clock),
      ...this.settings.endpointFor(role.mode),
    });
    this.clients.set(key, client);
    return client;
  }
}
