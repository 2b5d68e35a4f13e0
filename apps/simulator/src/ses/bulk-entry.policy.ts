import type { InjectedMark } from '../faults/fault-plan.policy';
import type { AwsError } from '../wire/aws.errors';
import type { SendBulkEmailBody, SendEmailBody } from './outbound-mail.policy';

type Entry = SendBulkEmailBody['BulkEmailEntries'][number];
type Header = NonNullable<Entry['ReplacementHeaders']>[number];

/** The one e-mail that an entry of SendBulkEmail stands for. */
export function mailOf(entry: Entry, body: SendBulkEmailBody): SendEmailBody {
  const data = entry.ReplacementEmailContent?.ReplacementTemplate?.ReplacementTemplateData;
  const template = body.DefaultContent.Template;
  return {
    FromEmailAddress: body.FromEmailAddress,
    Destination: entry.Destination,
    ReplyToAddresses: body.ReplyToAddresses,
    Content: {
      Template: {
        ...template,
        TemplateData: data ?? template?.TemplateData,
        Headers: withReplaced(template?.Headers, entry.ReplacementHeaders),
      },
    },
    EmailTags: [...(body.DefaultEmailTags ?? []), ...(entry.ReplacementTags ?? [])],
    ConfigurationSetName: body.ConfigurationSetName,
    TenantName: body.TenantName,
  };
}

/** A fault of some entries refuses every other one; the rest knows nothing of it. */
export function markOfEntry(injected: InjectedMark | undefined, i: number): InjectedMark | undefined {
  if (injected?.kind !== '429-entries') return injected;
  return i % 2 === 0 ? { kind: injected.kind, verdict: 'TooManyRequestsException' } : undefined;
}

/** An entry's own headers, and those of the template that it has not. */
function withReplaced(
  shared: readonly Header[] | null | undefined,
  own: readonly Header[] | null | undefined,
): Header[] {
  const named = new Set((own ?? []).map(({ Name: name }) => name.toLowerCase()));
  return [...(shared ?? []).filter(({ Name: name }) => !named.has(name.toLowerCase())), ...(own ?? [])];
}

/** SendBulkEmail reports per entry, with its own names (aws-facts 1.3). */
export function bulkStatus(error: AwsError): string {
  switch (error.name) {
    case 'TooManyRequestsException':
      return error.message.startsWith('Daily') ? 'ACCOUNT_DAILY_QUOTA_EXCEEDED' : 'ACCOUNT_THROTTLED';
    case 'AccountSuspendedException':
      return 'ACCOUNT_SUSPENDED';
    case 'SendingPausedException':
      return error.message.includes('configuration set')
        ? 'CONFIGURATION_SET_SENDING_PAUSED'
        : 'ACCOUNT_SENDING_PAUSED';
    case 'NotFoundException':
      return error.message.startsWith('Template') ? 'TEMPLATE_NOT_FOUND' : 'CONFIGURATION_SET_NOT_FOUND';
    case 'MessageRejected':
      return 'MESSAGE_REJECTED';
    case 'BadRequestException':
      return error.message.startsWith('Invalid sending pool') ? 'INVALID_SENDING_POOL_NAME' : 'INVALID_PARAMETER';
    default:
      return 'FAILED';
  }
}
