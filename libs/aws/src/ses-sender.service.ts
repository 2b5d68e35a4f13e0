import { performance } from 'node:perf_hooks';
import type { Clock } from '@libs/kernel';
import type { CredentialCache, Credentials } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import { sendEmailBody, type OutgoingMail } from './outgoing-mail.policy';
import type { SendOutcome } from './send-answer.policy';
import { DEADLINE_PASSED, SendExchange } from './send-exchange';
import { classifySession, faultOf } from './send-outcome.policy';
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
  send(role: FleetRole, mail: OutgoingMail, deadlineMs: number): Promise<SendOutcome> {
    return new Promise((resolve) => {
      this.post(role, mail, deadlineMs, resolve);
    });
  }

  /** The same, telling the outcome to `ended`, once: with thousands of messages a second a promise for each is dear. */
  post(role: FleetRole, mail: OutgoingMail, deadlineMs: number, ended: (outcome: SendOutcome) => void): void {
    const limitMs = Math.min(deadlineMs, REQUEST_MS);
    const session = this.cache.ready(role);
    if (session) {
      this.write(role, mail, session, limitMs, ended);
      return;
    }
    const beganAt = performance.now();
    inTime(this.cache.get(role), limitMs).then(
      (fresh) => {
        if (fresh === undefined) ended(DEADLINE_PASSED);
        else this.write(role, mail, fresh, limitMs - (performance.now() - beganAt), ended);
      },
      (error: unknown) => {
        ended(classifySession(error));
      },
    );
  }

  /** Never throws: what fails here does so before anything is written. */
  private write(
    role: FleetRole,
    mail: OutgoingMail,
    session: Credentials,
    limitMs: number,
    ended: (outcome: SendOutcome) => void,
  ): void {
    if (limitMs <= 0) {
      ended(DEADLINE_PASSED);
      return;
    }
    let body: Buffer;
    try {
      body = sendEmailBody(mail);
    } catch (error) {
      ended({ kind: 'invalid', ...faultOf(error) });
      return;
    }
    let exchange: SendExchange | undefined;
    try {
      const { pool, host, path } = this.pools.for(role);
      const post = { host, path, contentType, body };
      const headers = this.signer.sign(post, session, role.region, this.clock.nowMs());
      exchange = new SendExchange((outcome) => {
        if (outcome.kind === 'credentials') this.cache.refused(role, session);
        ended(outcome);
      }, limitMs);
      pool.dispatch({ method: 'POST', path, headers, body }, exchange);
    } catch (error) {
      if (exchange) exchange.fail(error);
      else ended({ kind: 'unsent', ...faultOf(error) });
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
