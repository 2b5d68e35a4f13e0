import { performance } from 'node:perf_hooks';
import type { Clock } from '@libs/kernel';
import type { CredentialCache, Credentials } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import { sendEmailBody, type OutgoingMail } from './outgoing-mail.policy';
import type { SendOutcome } from './send-answer.policy';
import { DEADLINE_PASSED, SendExchange } from './send-exchange';
import { faultOf } from './send-outcome.policy';
import type { SendPools } from './send-pools';
import { SigV4Signer } from './sigv4.policy';

/** The longest any request may take, in milliseconds; the quota ring's guard counts on it. */
const REQUEST_MS = 15_000;

const contentType = 'application/json';

/**
 * Sends one e-mail with one request, never two. Whatever happens is an outcome, not an exception; a message that AWS may
 * have and may not have is `in-doubt`. Not through the SDK: that costs several times the CPU of everything else a
 * message needs (docs/decisions/003).
 */
export class SesSender {
  private readonly signer = new SigV4Signer('ses');

  /** `clock` is real time always: AWS refuses a signature that is five minutes off. */
  constructor(
    private readonly pools: SendPools,
    private readonly cache: CredentialCache,
    private readonly clock: Clock,
  ) {}

  /** `deadlineMs`: how long the call may take in all, in milliseconds from now; never over 15 s. */
  async send(role: FleetRole, mail: OutgoingMail, deadlineMs: number): Promise<SendOutcome> {
    const limitMs = Math.min(deadlineMs, REQUEST_MS);
    const session = this.cache.ready(role);
    if (session) return this.post(role, mail, session, limitMs);
    const beganAt = performance.now();
    try {
      const fresh = await inTime(this.cache.get(role), limitMs);
      if (fresh === undefined) return DEADLINE_PASSED;
      return await this.post(role, mail, fresh, limitMs - (performance.now() - beganAt));
    } catch (error) {
      return { kind: 'credentials', ...faultOf(error) };
    }
  }

  /** Never rejects: what throws here does so before anything is written. */
  private post(
    role: FleetRole,
    mail: OutgoingMail,
    session: Credentials,
    limitMs: number,
  ): Promise<SendOutcome> | SendOutcome {
    if (limitMs <= 0) return DEADLINE_PASSED;
    let body: Buffer;
    try {
      body = sendEmailBody(mail);
    } catch (error) {
      return { kind: 'invalid', ...faultOf(error) };
    }
    try {
      const { pool, host, path } = this.pools.for(role);
      const post = { host, path, contentType, body };
      const headers = this.signer.sign(post, session, role.region, this.clock.nowMs());
      return new Promise((resolve) => {
        pool.dispatch({ method: 'POST', path, headers, body }, new SendExchange(resolve, limitMs));
      });
    } catch (error) {
      return { kind: 'unsent', ...faultOf(error) };
    }
  }
}

/** Undefined when it takes longer than `ms`: an STS that hangs must not hold a slot beyond its time. Rejects as it does. */
async function inTime<Value>(work: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
