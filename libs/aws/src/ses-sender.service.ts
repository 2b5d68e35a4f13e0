import { performance } from 'node:perf_hooks';
import type { Clock } from '@libs/kernel';
import type { CredentialCache, Credentials } from './credential-cache.service';
import { sessionKey, type FleetRole } from './fleet-role';
import { BoundedMap } from './bounded-map';
import { readBulkAnswer, refusesSharing, type BulkOutcome } from './bulk-answer.policy';
import { SEND_BULK_EMAIL_PATH, sendBulkEmailBody } from './bulk-mail.policy';
import { SEND_EMAIL_PATH, sendEmailBody, type OutgoingMail } from './outgoing-mail.policy';
import { readAnswer, type SendOutcome } from './send-answer.policy';
import { DEADLINE_PASSED, SendExchange, type ReadAnswer } from './send-exchange';
import { classifySession, faultOf, type SendFailure } from './send-outcome.policy';
import type { SendPools } from './send-pools';
import { SigV4Signer } from './sigv4.policy';

/** The longest any request may take, in milliseconds; the quota ring's guard counts on it. */
const REQUEST_MS = 15_000;

const contentType = 'application/json';

/** One request: what it is for is in its body alone. */
interface Call<Outcome> {
  readonly path: string;
  /** May throw: then nothing was sent, and never will be. */
  readonly body: () => Buffer;
  readonly read: ReadAnswer<Outcome>;
}

/** So long SendBulkEmail is not asked for again where it was refused: a role gets the right when somebody changes it in AWS. */
const APART_MS = 600_000;
const MAX_APART = 5_000;

/**
 * Sends an e-mail, or several that go together, with one request, never two. Whatever happens is an outcome, not an exception; a
 * message that AWS may have and may not have is `in-doubt`. Not through the SDK: that costs several times the CPU of
 * everything else a message needs (docs/decisions/003).
 */
export class SesSender {
  private readonly signer = new SigV4Signer('ses');
  /** Until when, real milliseconds, by session. */
  private readonly apart = new BoundedMap<number>(MAX_APART);

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
    this.call<SendOutcome>(
      role,
      { path: SEND_EMAIL_PATH, body: () => sendEmailBody(mail), read: readAnswer },
      deadlineMs,
      ended,
    );
  }

  /** False for a while after AWS denied SendBulkEmail to the role, one that was made before it was asked for, or refused what all of them have. */
  mayPostTogether(role: FleetRole): boolean {
    return this.apart.size === 0 || (this.apart.get(sessionKey(role)) ?? 0) <= this.clock.nowMs();
  }

  /**
   * Several that go together (`goTogether`), with 50 recipients at most, in one SendBulkEmail. `ended` hears of each in its order, or
   * once what holds for all of them.
   */
  postTogether(
    role: FleetRole,
    mails: readonly [OutgoingMail, ...OutgoingMail[]],
    deadlineMs: number,
    ended: (outcome: BulkOutcome) => void,
  ): void {
    const call: Call<BulkOutcome> = {
      path: SEND_BULK_EMAIL_PATH,
      body: () => sendBulkEmailBody(mails),
      read: (status, errorType, body) => readBulkAnswer(mails.length, status, errorType, body),
    };
    this.call(role, call, deadlineMs, (outcome) => {
      if (refusesSharing(outcome)) this.apart.set(sessionKey(role), this.clock.nowMs() + APART_MS);
      ended(outcome);
    });
  }

  private call<Outcome>(
    role: FleetRole,
    call: Call<Outcome>,
    deadlineMs: number,
    ended: (outcome: Outcome | SendFailure) => void,
  ): void {
    const limitMs = Math.min(deadlineMs, REQUEST_MS);
    const session = this.cache.ready(role);
    if (session) {
      this.write(role, call, session, limitMs, ended);
      return;
    }
    const beganAt = performance.now();
    inTime(this.cache.get(role), limitMs).then(
      (fresh) => {
        if (fresh === undefined) ended(DEADLINE_PASSED);
        else this.write(role, call, fresh, limitMs - (performance.now() - beganAt), ended);
      },
      (error: unknown) => {
        ended(classifySession(error));
      },
    );
  }

  /** Never throws: what fails here does so before anything is written. */
  private write<Outcome>(
    role: FleetRole,
    call: Call<Outcome>,
    session: Credentials,
    limitMs: number,
    ended: (outcome: Outcome | SendFailure) => void,
  ): void {
    if (limitMs <= 0) {
      ended(DEADLINE_PASSED);
      return;
    }
    let body: Buffer;
    try {
      body = call.body();
    } catch (error) {
      ended({ kind: 'invalid', ...faultOf(error) });
      return;
    }
    let exchange: SendExchange<Outcome> | undefined;
    try {
      const { pool, host, base } = this.pools.for(role);
      const path = base + call.path;
      const post = { host, path, contentType, body };
      const headers = this.signer.sign(post, session, role.region, this.clock.nowMs());
      const settle = (outcome: Outcome | SendFailure): void => {
        if (isRefusedSession(outcome)) this.cache.refused(role, session);
        ended(outcome);
      };
      exchange = new SendExchange(settle, call.read, limitMs);
      pool.dispatch({ method: 'POST', path, headers, body }, exchange);
    } catch (error) {
      if (exchange) exchange.fail(error);
      else ended({ kind: 'unsent', ...faultOf(error) });
    }
  }
}

function isRefusedSession(outcome: unknown): boolean {
  return (outcome as { readonly kind?: unknown }).kind === 'credentials';
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
