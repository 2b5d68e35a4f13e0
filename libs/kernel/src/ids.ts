import { v7 } from 'uuid';

type Branded<Name extends string> = string & { readonly __id: Name };

export type TenantId = Branded<'tenant'>;
export type PlanId = Branded<'plan'>;
export type ApiKeyId = Branded<'apiKey'>;
export type OperatorId = Branded<'operator'>;
export type AwsAccountId = Branded<'awsAccount'>;
export type SendingAccountId = Branded<'sendingAccount'>;
export type LaneId = Branded<'lane'>;
export type PlacementId = Branded<'placement'>;
export type TenantMoveId = Branded<'tenantMove'>;
export type DomainId = Branded<'domain'>;
export type MessageId = Branded<'message'>;
export type AttemptId = Branded<'attempt'>;
export type BatchId = Branded<'batch'>;
export type EventId = Branded<'event'>;
export type SuppressionId = Branded<'suppression'>;
export type InvoiceId = Branded<'invoice'>;

type AnyId =
  | TenantId
  | PlanId
  | ApiKeyId
  | OperatorId
  | AwsAccountId
  | SendingAccountId
  | LaneId
  | PlacementId
  | TenantMoveId
  | DomainId
  | MessageId
  | AttemptId
  | BatchId
  | EventId
  | SuppressionId
  | InvoiceId;

/** A new uuid v7: ordered by creation time, so that indexes grow at one end and the day is part of the id. */
export function newId<Id extends AnyId>(): Id {
  return v7() as Id;
}

/** What stands before an id wherever a person or a program outside sees it. */
const PREFIX = {
  tenant: 'ten',
  plan: 'plan',
  apiKey: 'key',
  operator: 'opr',
  awsAccount: 'acc',
  sendingAccount: 'sac',
  lane: 'lane',
  placement: 'plc',
  tenantMove: 'mov',
  domain: 'dom',
  message: 'msg',
  event: 'evt',
  suppression: 'sup',
  invoice: 'inv',
  request: 'req',
} as const;

export type PublicKind = keyof typeof PREFIX;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base 32: no i, l, o, u to misread
const ID_LENGTH = 26; // 128 bits in groups of 5

/** `msg_` and 26 characters of Crockford base 32 for the uuid of a message. */
export function toPublicId(kind: PublicKind, uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let i = 0; i < ID_LENGTH; i += 1) {
    text = (ALPHABET[Number(value & 31n)] ?? '') + text;
    value >>= 5n;
  }
  return `${PREFIX[kind]}_${text}`;
}

/** The uuid behind a public id of that kind, or undefined for anything else: a foreign or broken id finds nothing. */
export function fromPublicId(kind: PublicKind, text: string): string | undefined {
  const prefix = `${PREFIX[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + ID_LENGTH) return undefined;
  let value = 0n;
  for (const character of text.slice(prefix.length)) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  if (value >> 128n !== 0n) return undefined;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Which kind of thing a public id names, by its prefix. */
export function publicKindOf(text: string): PublicKind | undefined {
  const prefix = text.slice(0, text.indexOf('_'));
  return (Object.keys(PREFIX) as PublicKind[]).find((kind) => PREFIX[kind] === prefix);
}
