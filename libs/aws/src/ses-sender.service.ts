import { performance } from 'node:perf_hooks';
import { SendEmailCommand } from '@aws-sdk/client-sesv2';
import { Injectable } from '@nestjs/common';
import { CredentialCache } from './credential-cache.service';
import type { FleetRole } from './fleet-role';
import { sendEmailInput, type OutgoingMail } from './outgoing-mail.policy';
import { classifySendError, type SendFailure } from './send-outcome.policy';
import { SesClients } from './ses-clients';

export type SendOutcome = { readonly kind: 'sent'; readonly sesMessageId: string } | SendFailure;

const DEADLINE_PASSED: SendFailure = {
  kind: 'unsent',
  code: 'DeadlinePassed',
  message: 'The time for this call was over before it began.',
};

/**
 * Sends one e-mail with one request, never two. Whatever happens is an outcome, not an exception; a message that AWS may
 * have and may not have is `in-doubt`.
 */
@Injectable()
export class SesSender {
  constructor(
    private readonly clients: SesClients,
    private readonly cache: CredentialCache,
  ) {}

  /** `deadlineMs`: how long the call may take in all, in milliseconds from now; the request itself never over 15 s. */
  async send(role: FleetRole, mail: OutgoingMail, deadlineMs: number): Promise<SendOutcome> {
    const endAt = performance.now() + deadlineMs;
    let command: SendEmailCommand;
    try {
      // Before anything is written: whatever fails here is proof that nothing was sent.
      if (!(await inTime(this.cache.get(role), deadlineMs))) return DEADLINE_PASSED;
      command = new SendEmailCommand(sendEmailInput(mail));
    } catch (error) {
      return { ...classifySendError(error), kind: 'credentials' };
    }
    const left = Math.floor(endAt - performance.now());
    if (left <= 0) return DEADLINE_PASSED;
    try {
      const answer = await this.clients.for(role).send(command, { abortSignal: AbortSignal.timeout(left) });
      if (answer.MessageId) return { kind: 'sent', sesMessageId: answer.MessageId };
      return { kind: 'in-doubt', code: 'NoMessageId', message: 'SES answered without a message id.', httpStatus: 200 };
    } catch (error) {
      return classifySendError(error);
    }
  }
}

/** False when it takes longer than `ms`: an STS that hangs must not hold a slot beyond its time. Rejects as it does. */
async function inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
