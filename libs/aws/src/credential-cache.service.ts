import type { Clock } from '@libs/kernel';
import { BoundedMap } from './bounded-map';
import { credentialUse, jitter, refreshAtMs, refreshPauseMs, type SessionLife } from './credential-refresh.policy';
import { sessionKey, type FleetRole } from './fleet-role';

/** Temporary credentials as AWS hands them out; never written anywhere. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Asks STS for a session. A port, so that the rules of the cache are tested apart from the wire. */
export type Assume = (role: FleetRole) => Promise<Credentials>;

interface Entry {
  session?: { readonly credentials: Credentials; readonly life: SessionLife; readonly refreshAt: number };
  pending?: Promise<Credentials>;
  failures: number;
  retryAtMs: number;
}

const MAX_SESSIONS = 5_000;

/**
 * Sessions of the fleet's roles: asked for once however many ask, refreshed ahead in the background by whoever uses
 * them, and used until they really expire when STS is down. The SDK's own cache is per client, refreshes blocking in
 * the last five minutes and fails with valid credentials in hand (aws-facts 8): clients here ask this one every time.
 */
export class CredentialCache {
  private readonly entries = new BoundedMap<Entry>(MAX_SESSIONS);

  /** `clock` is real time always: credentials expire by AWS's clock, never by the engine's. */
  constructor(
    private readonly assume: Assume,
    private readonly clock: Clock,
    private readonly seed: number,
  ) {}

  /** Credentials that are valid now. Rejects with STS's error when there are none and none can be had. */
  async get(role: FleetRole): Promise<Credentials> {
    const ready = this.ready(role);
    if (ready) return ready;
    const key = sessionKey(role);
    const entry = this.entries.get(key) ?? this.open(key);
    return entry.pending ?? this.refresh(key, role, entry);
  }

  /** Credentials that are here and valid now, without waiting: what nearly every send finds. */
  ready(role: FleetRole): Credentials | undefined {
    const key = sessionKey(role);
    const entry = this.entries.get(key);
    if (!entry?.session) return undefined;
    const now = this.clock.nowMs();
    const use = credentialUse(entry.session.life, entry.session.refreshAt, now);
    if (use === 'wait') return undefined;
    const { credentials } = entry.session;
    if (use === 'use-and-refresh' && !entry.pending && now >= entry.retryAtMs) {
      // Nobody waits for this one; its failure shows when the session ends without a successor.
      void this.refresh(key, role, entry).catch(() => undefined);
    }
    return credentials;
  }

  /**
   * AWS refused these credentials: they are handed out no more. Not those that came after them: hundreds of requests may have
   * been under way with them, and the first refusal has asked for their successor.
   */
  refused(role: FleetRole, credentials: Credentials): void {
    const entry = this.entries.get(sessionKey(role));
    if (entry?.session?.credentials === credentials) delete entry.session;
  }

  /** Drops the session, whatever became of it; the next `get` asks STS. */
  forget(role: FleetRole): void {
    this.entries.delete(sessionKey(role));
  }

  get size(): number {
    return this.entries.size;
  }

  private open(key: string): Entry {
    const entry: Entry = { failures: 0, retryAtMs: 0 };
    this.entries.set(key, entry);
    return entry;
  }

  private refresh(key: string, role: FleetRole, entry: Entry): Promise<Credentials> {
    const pending = this.ask(key, role, entry).finally(() => {
      delete entry.pending;
    });
    entry.pending = pending;
    return pending;
  }

  private async ask(key: string, role: FleetRole, entry: Entry): Promise<Credentials> {
    const issuedAtMs = this.clock.nowMs();
    try {
      const credentials = await this.assume(role);
      const life = { issuedAtMs, expiresAtMs: credentials.expiration.getTime() };
      entry.session = { credentials, life, refreshAt: refreshAtMs(life, jitter(this.seed, key, issuedAtMs)) };
      entry.failures = 0;
      entry.retryAtMs = 0;
      return credentials;
    } catch (error) {
      entry.failures += 1;
      entry.retryAtMs = this.clock.nowMs() + refreshPauseMs(entry.failures);
      throw error;
    }
  }
}
