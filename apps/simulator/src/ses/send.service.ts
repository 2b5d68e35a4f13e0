import { randomUUID } from 'node:crypto';
import type { Clock } from '@libs/kernel';
import type { Arrival, ArrivalLog } from '../arrivals/arrival.log';
import type { MailShelf } from '../arrivals/mail.shelf';
import type { UsageMeter } from '../billing/usage-meter';
import type { InjectedMark } from '../faults/fault-plan.policy';
import { refusalOf, refusalText } from '../iam/caller.policy';
import { limitsOf, type SendingLimitsService } from '../limits/sending-limits.service';
import type { ConfigurationSetState } from '../state/simulator.state';
import { AwsError, badRequest, dailyQuotaExceeded, messageRejected, notFound, rateExceeded } from '../wire/aws.errors';
import { bulkStatus, mailOf, markOfEntry } from './bulk-entry.policy';
import { DEFAULT_POOL, poolExists, SHARED_POOL } from './dedicated-ip.routes';
import type { EventsService } from './events.service';
import { identityCandidates, type ParsedAddress } from './mail-address.policy';
import {
  checkRequestSize,
  checkSubject,
  MAX_RECIPIENTS,
  outboundMail,
  sendBulkEmailBody,
  sendEmailBody,
  type OutboundMail,
  type SendBulkEmailBody,
  type SendEmailBody,
} from './outbound-mail.policy';
import { bodyOf, type SesCall, type SesRoute } from './ses.call';
import { checkInlineTemplate, renderTemplate, type Rendered, type TemplateText } from './template.policy';
import { testOutcome } from './test-address.policy';

/** A request on its way through the checks; filled in as more becomes known, so that refusals are logged with it. */
interface Attempt {
  readonly call: SesCall;
  readonly operation: string;
  readonly at: number;
  injected: string | undefined;
  mail?: OutboundMail;
  configurationSet?: string | undefined;
  pool?: string | undefined;
}

const CHECK_INBOX =
  'For more information, please check the inbox of the email address associated with your AWS account.';
/** `throttled@postfleet.test` is refused this often before it is let through. */
const THROTTLED_TIMES = 2;

/** SendEmail and SendBulkEmail: AWS's checks in order, then the limits, then the events. */
export class SendService {
  private readonly throttled = new Map<string, number>();

  constructor(
    private readonly limits: SendingLimitsService,
    private readonly arrivals: ArrivalLog,
    private readonly shelf: MailShelf,
    private readonly usage: UsageMeter,
    private readonly events: EventsService,
    private readonly clock: Clock,
  ) {}

  routes(): SesRoute[] {
    return [
      { operation: 'SendEmail', method: 'POST', path: '/v2/email/outbound-emails', handle: () => ({}) },
      { operation: 'SendBulkEmail', method: 'POST', path: '/v2/email/outbound-bulk-emails', handle: () => ({}) },
    ];
  }

  /** Runs one send request. A mark with a verdict refuses it with that name, logged but never accepted. */
  handle(operation: string, call: SesCall, injected: InjectedMark | undefined): unknown {
    if (operation === 'SendBulkEmail') return this.sendBulk(call, injected);
    return { MessageId: this.send(operation, call, () => readSingle(call), injected) };
  }

  reset(): void {
    this.throttled.clear();
  }

  private sendBulk(call: SesCall, injected: InjectedMark | undefined): unknown {
    const body = this.readBulk(call, injected);
    const results = body.BulkEmailEntries.map((entry, i) => {
      const single = mailOf(entry, body);
      try {
        return {
          Status: 'SUCCESS',
          MessageId: this.send('SendBulkEmail', call, () => single, markOfEntry(injected, i)),
        };
      } catch (error) {
        if (!(error instanceof AwsError) || error.name === 'AccessDeniedException') throw error;
        if (injected?.verdict !== undefined) throw error;
        return { Status: bulkStatus(error), Error: error.message };
      }
    });
    return { BulkEmailEntryResults: results };
  }

  /** Entries are logged one by one; a request refused as a whole is one row. */
  private readBulk(call: SesCall, injected: InjectedMark | undefined): SendBulkEmailBody {
    try {
      const body = bodyOf(call, sendBulkEmailBody);
      const destinations = body.BulkEmailEntries.flatMap(({ Destination: d }) => [
        ...(d.ToAddresses ?? []),
        ...(d.CcAddresses ?? []),
        ...(d.BccAddresses ?? []),
      ]);
      if (destinations.length > MAX_RECIPIENTS) throw badRequest('The number of destinations exceeds 50.');
      checkTemplate(call, body.DefaultContent.Template);
      return body;
    } catch (error) {
      const attempt = { call, operation: 'SendBulkEmail', at: this.clock.nowMs(), injected: injected?.kind };
      this.record(attempt, error instanceof AwsError ? error.name : 'InternalFailure');
      throw error;
    }
  }

  private send(
    operation: string,
    call: SesCall,
    read: () => SendEmailBody,
    injected: InjectedMark | undefined,
  ): string {
    const attempt: Attempt = { call, operation, at: this.clock.nowMs(), injected: injected?.kind };
    try {
      const mail = outboundMail(read());
      attempt.mail = mail;
      if (injected?.verdict !== undefined) throw new AwsError(injected.verdict, 500, 'Injected fault.');
      const messageId = this.accept(attempt, mail);
      this.record(attempt, 'accepted', messageId);
      return messageId;
    } catch (error) {
      const verdict = error instanceof AwsError ? error.name : 'InternalFailure';
      this.record(attempt, verdict);
      throw error;
    }
  }

  private accept(attempt: Attempt, mail: OutboundMail): string {
    const { call } = attempt;
    const { state } = call;
    const identity = identityFor(call, mail.from);
    attempt.configurationSet = mail.configurationSet ?? identity.defaultSet;
    this.authorise(attempt, mail, identity.name);
    if (state.suspended)
      throw new AwsError('AccountSuspendedException', 400, `Sending suspended for this account. ${CHECK_INBOX}`);
    if (!state.sendingEnabled || state.enforcementStatus === 'SHUTDOWN') {
      throw new AwsError('SendingPausedException', 400, `Sending paused for this account. ${CHECK_INBOX}`);
    }
    const set = this.configurationSet(attempt);
    const { missing, ...said } = this.render(call, mail);
    // One list for both, as SES has it.
    const failed = identity.verified ? [] : [mail.from.address];
    if (!state.productionAccess) failed.push(...unverifiedRecipients(call, mail));
    if (failed.length > 0) throw notVerified(call, failed);
    this.checkThrottledAddress(attempt, mail);
    this.checkLimits(attempt, mail);
    const messageId = newMessageId(attempt.at);
    if (missing === undefined) this.shelf.put(messageId, said);
    this.events.mailAccepted(
      call,
      { ...mail, ...said },
      {
        messageId,
        at: attempt.at,
        operation: attempt.operation,
        identity: identity.name,
        set,
        pool: attempt.pool,
        missingVariable: missing,
      },
    );
    return messageId;
  }

  /** Both the identity and the configuration set must be allowed (aws-facts 8). */
  private authorise(attempt: Attempt, mail: OutboundMail, identity: string): void {
    const { caller, region, accountId } = attempt.call;
    const action = attempt.operation === 'SendBulkEmail' ? 'ses:SendBulkEmail' : mail.action;
    const context = {
      'ses:apiversion': ['2'],
      ...(mail.tenantName === undefined ? {} : { 'ses:tenantname': [mail.tenantName] }),
      // The address keys guard SendEmail and SendRawEmail only (aws-facts 8).
      ...(action === 'ses:SendBulkEmail'
        ? {}
        : {
            'ses:fromaddress': [mail.from.address],
            'ses:fromdisplayname': [mail.from.display],
            'ses:recipients': mail.recipients.map((one) => one.address),
          }),
    };
    const resources = [`identity/${identity}`];
    if (attempt.configurationSet !== undefined) resources.push(`configuration-set/${attempt.configurationSet}`);
    for (const resource of resources) {
      const request = { action, resource: `arn:aws:ses:${region}:${accountId}:${resource}`, context };
      const refusal = refusalOf(caller, request);
      if (refusal !== undefined)
        throw new AwsError('AccessDeniedException', 403, refusalText(caller, request, refusal));
    }
  }

  private configurationSet(attempt: Attempt): ConfigurationSetState | undefined {
    const name = attempt.configurationSet;
    const { state } = attempt.call;
    const hasIps = [...state.ips.values()].some((ip) => ip.pool === DEFAULT_POOL);
    // Mail without a pool uses the default dedicated pool as soon as it has IPs (aws-facts 1.5).
    attempt.pool = hasIps ? DEFAULT_POOL : SHARED_POOL;
    if (name === undefined) return undefined;
    const set = state.configurationSets.get(name);
    if (set === undefined) throw notFound(`Configuration set <${name}> does not exist.`);
    if (!set.sendingEnabled) {
      throw new AwsError(
        'SendingPausedException',
        400,
        `Sending is paused for configuration set <${name}>. ${CHECK_INBOX}`,
      );
    }
    const pool = set.deliveryOptions['SendingPoolName'];
    if (typeof pool === 'string') {
      if (!poolExists(state, pool)) throw badRequest(`Invalid sending pool name <${pool}>.`);
      attempt.pool = pool;
    }
    return set;
  }

  /** What its recipients read; that of a template once its data is in it. */
  private render(call: SesCall, mail: OutboundMail): Rendered {
    const { template, subject, html, text } = mail;
    if (template === undefined) return { subject, html, text, missing: undefined };
    const rendered = renderTemplate(templateOf(call, template), template.TemplateData ?? '');
    checkSubject(rendered.subject);
    return rendered;
  }

  private checkThrottledAddress(attempt: Attempt, mail: OutboundMail): void {
    for (const { address } of mail.recipients) {
      if (testOutcome(address) !== 'THROTTLE') continue;
      const key = `${attempt.call.accountId}/${attempt.call.region}/${address.toLowerCase()}`;
      const times = this.throttled.get(key) ?? 0;
      if (times >= THROTTLED_TIMES) continue;
      this.throttled.set(key, times + 1);
      attempt.injected = 'throttled-address';
      throw rateExceeded();
    }
  }

  private checkLimits(attempt: Attempt, mail: OutboundMail): void {
    const { accountId, region, state, request } = attempt.call;
    const demand = { at: attempt.at, since: request.since, ...recipientCounts(mail) };
    const verdict = this.limits.admit(accountId, region, demand, limitsOf(state));
    if (verdict === 'DAILY_QUOTA') throw dailyQuotaExceeded();
    if (verdict === 'RATE') throw rateExceeded();
  }

  /** Into the arrival log and the counting meter, whatever the verdict. */
  private record(attempt: Attempt, verdict: string, messageId?: string): void {
    const { call, mail, at, injected } = attempt;
    const { since } = call.request;
    const { accountId: account, region, state } = call;
    const row: Omit<Arrival, 'seq'> = {
      time: new Date(at).toISOString(),
      at,
      account,
      region,
      operation: attempt.operation,
      verdict,
      ...(injected === undefined ? {} : { injected }),
      ...(since === undefined ? {} : { since }),
    };
    if (mail === undefined) {
      this.arrivals.append(row);
      return;
    }
    const counts = recipientCounts(mail);
    const limits = limitsOf(state);
    this.limits.observe(account, region, { at, since, ...counts, verdict, injected: injected !== undefined }, limits);
    const sent = {
      ...row,
      recipients: mail.recipients.map((one) => one.address),
      nRecipients: counts.recipients,
      quotaRecipients: counts.quotaRecipients,
      tags: mail.tags,
      ...(attempt.configurationSet === undefined ? {} : { configurationSet: attempt.configurationSet }),
      ...(attempt.pool === undefined ? {} : { pool: attempt.pool }),
      from: mail.from.address,
      ...(messageId === undefined ? {} : { messageId }),
      bytes: mail.bytes,
      ...(mail.attachmentBytes === 0 ? {} : { attachmentBytes: mail.attachmentBytes }),
      limits: [limits.max24HourSend, limits.maxSendRate, limits.bucketCapacity ?? null],
    } satisfies Omit<Arrival, 'seq'>;
    this.arrivals.append(sent);
    this.usage.sent(sent);
  }
}

function readSingle(call: SesCall): SendEmailBody {
  const body = bodyOf(call, sendEmailBody);
  checkTemplate(call, body.Content.Template);
  return body;
}

type Template = NonNullable<SendEmailBody['Content']['Template']>;

/** What is wrong with a template that comes with a request is wrong with all of it. */
function checkTemplate(call: SesCall, template: Template | null | undefined): void {
  checkRequestSize(template, call.request.body.length);
  if (template?.TemplateContent) checkInlineTemplate(template.TemplateContent);
}

function templateOf(call: SesCall, template: Template): TemplateText {
  if (template.TemplateContent) return template.TemplateContent;
  const name = template.TemplateName ?? template.TemplateArn?.split('/').at(-1);
  if (name === undefined) throw badRequest('TemplateName, TemplateArn or TemplateContent must be given.');
  const content = call.state.templates.get(name)?.content;
  if (content === undefined) throw notFound(`Template ${name} does not exist.`);
  return content;
}

function recipientCounts(mail: OutboundMail): { recipients: number; quotaRecipients: number } {
  const quotaRecipients = mail.recipients.filter((one) => testOutcome(one.address) === undefined).length;
  return { recipients: mail.recipients.length, quotaRecipients };
}

/** The identity a From address is sent under: the address, its domain, or a parent domain, the verified one first. */
function identityFor(
  call: SesCall,
  from: ParsedAddress,
): { name: string; verified: boolean; defaultSet: string | undefined } {
  const known = identityCandidates(from).flatMap((name) => call.state.identities.get(name) ?? []);
  const chosen = known.find((identity) => identity.status === 'SUCCESS') ?? known[0];
  return {
    name: chosen?.name ?? from.domain,
    verified: chosen?.status === 'SUCCESS',
    defaultSet: chosen?.configurationSet,
  };
}

/** Whom a sandbox may not write to. */
function unverifiedRecipients(call: SesCall, mail: OutboundMail): string[] {
  const isVerified = (one: ParsedAddress) =>
    identityCandidates(one).some((name) => call.state.identities.get(name)?.status === 'SUCCESS');
  return mail.recipients
    .filter((one) => testOutcome(one.address) === undefined && !isVerified(one))
    .map((one) => one.address);
}

function notVerified(call: SesCall, addresses: readonly string[]): AwsError {
  return messageRejected(
    `Email address is not verified. The following identities failed the check in region ${call.region.toUpperCase()}: ${addresses.join(', ')}`,
  );
}

function newMessageId(at: number): string {
  return `0100${at.toString(16).padStart(12, '0')}-${randomUUID()}-000000`;
}
